import FaultServer
import Foundation
import HTTPFetch
import Testing

/// `unshare(CLONE_NEWNS)`, which Swift's Glibc module lacks.
private func leaveMounts() -> Bool {
  guard let function = dlsym(nil, "unshare") else { return false }
  typealias Unshare = @convention(c) (Int32) -> Int32
  return unsafeBitCast(function, to: Unshare.self)(0x0002_0000) == 0
}

@Suite struct NameServerTests {
  @Test(
    "a DNS server that rebinds its name gets no request at the second address",
    .enabled(if: getuid() == 0, "needs a mount namespace, hence root"))
  func rebinding() async throws {
    let outside = try FaultServer(), inside = try FaultServer(address: "127.0.0.9")
    let (port, otherPort) = (outside.port, inside.port)
    // A process of its own, as its /etc/resolv.conf becomes another.
    await #expect(processExitsWith: .success) {
      [port = port as Int, otherPort = otherPort as Int] in
      let names = try NameServer(address: "127.0.0.53", answers: ["127.0.0.1", "127.0.0.9"])
      let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let file = folder.appending(path: "resolv.conf")
      try Data("nameserver 127.0.0.53\n".utf8).write(to: file)
      let options = testOptions { $0.allowAddresses = ["127.0.0.1"] }
      // The namespace is the thread's, and that of the threads that it starts: the fetchers'.
      let (fetchers, ready) = AsyncStream.makeStream(of: [Fetcher].self)
      Thread.detachNewThread {
        let isOwn =
          leaveMounts()
          && mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0
          && mount(file.path, "/etc/resolv.conf", nil, UInt(MS_BIND), nil) == 0
        precondition(isOwn, "no namespace: \(String(cString: strerror(errno)))")
        do {
          ready.yield([try Fetcher(options: options), try Fetcher(options: options)])
        } catch {
          preconditionFailure("\(error)")
        }
      }
      var iterator = fetchers.makeAsyncIterator()
      let pair = try #require(await iterator.next())
      let first = await results(of: ["http://rebind.test:\(port)/ok"], by: pair[0])
      #expect(first[0].failure == nil && first[0].address == "127.0.0.1", "\(first[0].detail)")
      let second = await results(of: ["http://rebind.test:\(otherPort)/ok"], by: pair[1])
      #expect(second[0].failure == .addressRefused && second[0].detail == "127.0.0.9")
      #expect(names.questions == 2)
    }
    #expect(outside.counters.connections == 1 && inside.counters.connections == 0)
  }
}
