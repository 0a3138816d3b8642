import FaultServer
import Foundation
import HTTPFetch
import Testing

/// What a fetcher does when this machine, not the web, is at fault.
@Suite struct MachineFaultTests {
  /// Fetches and tells why it could not.
  static func problem(of urls: [String], by fetcher: Fetcher) async -> FetcherError? {
    do {
      let requests = urls.enumerated().map { FetchRequest(id: $0.offset, url: $0.element) }
      // A result may come before the fault; none may blame the web for it.
      try await fetcher.fetch(requests) { result in precondition(result.failure == nil) }
      return nil
    } catch {
      return error
    }
  }

  @Test("a disk that takes no bodies ends the call, and later ones, and blames no URL")
  func disk() async throws {
    let server = try FaultServer()
    let port = server.port
    await #expect(processExitsWith: .success) { [port = port as Int] in
      // A limit on file sizes stands in for a full disk: the same call fails, with another number.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let fetcher = try Fetcher(options: testOptions { $0.bodyBudget = 1 << 20 })
      let urls = (0..<20).map { "http://127.0.0.1:\(port)/stream/1000000/\($0)" }
      for _ in 0..<2 {
        let error = await MachineFaultTests.problem(of: urls, by: fetcher)
        #expect(error?.errorNumber == EFBIG)
        #expect(error?.operation.contains("write bodies to a temporary file in /") == true)
      }
    }
  }

  @Test("no room in the folder of temporary files is told with the folder")
  func folder() async throws {
    let server = try FaultServer()
    let port = server.port
    await #expect(processExitsWith: .success) { [port = port as Int] in
      setenv("TMPDIR", "/proc/nowhere", 1)
      let fetcher = try Fetcher(options: testOptions { $0.bodyBudget = 0 })
      let error = await MachineFaultTests.problem(
        of: ["http://127.0.0.1:\(port)/ok/50000"], by: fetcher)
      #expect(error?.description.contains("temporary file in /proc/nowhere: No such file") == true)
    }
  }

  @Test("a system that watches no more sockets ends the call with its reason, and traps nothing")
  func sockets() async throws {
    let server = try FaultServer()
    let port = server.port
    await #expect(processExitsWith: .success) { [port = port as Int] in
      let fetcher = try Fetcher(options: testOptions())
      let url = "http://127.0.0.1:\(port)/ok"
      let first = await results(of: [url], by: fetcher)
      #expect(first[0].failure == nil)
      // Another kind of descriptor in the place of the one that epoll gave.
      for descriptor in 3..<64 {
        let link = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\(descriptor)")
        if link == "anon_inode:[eventpoll]" {
          let null = open("/dev/null", O_RDONLY)
          dup2(null, Int32(descriptor))
        }
      }
      let error = await MachineFaultTests.problem(of: [url + "/2"], by: fetcher)
      #expect(error?.operation == "epoll_ctl" || error?.operation == "epoll_wait")
      #expect(error?.errorNumber == EINVAL)
    }
  }
}
