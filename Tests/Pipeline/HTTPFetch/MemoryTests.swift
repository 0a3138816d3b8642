import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

@Suite struct MemoryTests {
  @Test("bodies beyond the budget lie on disk, whole, while their results are held")
  func spills() async throws {
    let server = try FaultServer()
    let port = server.port
    // A process of its own, for its peak of memory. 48 bodies of 8 MiB are 384 MiB.
    await #expect(processExitsWith: .success) { [port = port as Int] in
      let size = 8 << 20
      let fetcher = try Fetcher(
        options: testOptions {
          $0.bodyBudget = 16 << 20
          $0.totalDeadline = 100
        })
      let urls = (0..<48).map { "http://127.0.0.1:\(port)/stream/\(size)/\($0)" }
      let before = try peakKiB()
      let all = await results(of: urls, by: fetcher)
      #expect(all.count == 48 && all.allSatisfy { $0.bodyCount == size })
      // The budget, 16 KiB per transfer, libcurl, and slack of the allocator.
      #expect(try peakKiB() - before < 64 << 10, "KiB of growth")
      for result in all {
        let body = try #require(try result.readBody())
        let isWhole = body.indices.allSatisfy { body[$0] == UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(body.count == size && isWhole)
      }
    }
  }

  @Test("small bodies of held results count too, and memory comes back when they are dropped")
  func small() async throws {
    let server = try FaultServer()
    let fetcher = try Fetcher(options: testOptions { $0.bodyBudget = 100_000 })
    for _ in 0..<2 {
      let all = await results(of: (0..<200).map { server.url("/ok/5000?\($0)") }, by: fetcher)
      let expected = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      #expect(all.allSatisfy { $0.body == expected })
    }
  }

  @Test("an endless body, its decoded bomb and endless headers take little memory, many at a time")
  func floods() async throws {
    let server = try FaultServer()
    let port = server.port
    await #expect(processExitsWith: .success) { [port = port as Int] in
      let fetcher = try Fetcher(
        options: testOptions {
          $0.bodyBudget = 16 << 20
          $0.maxBytes = 8 << 20
          $0.attempts = 1
          $0.totalDeadline = 100
        })
      let paths = ["endless", "gzip-bomb", "endless-headers", "endless-length", "endless-error"]
      let urls = paths.flatMap { path in
        (0..<20).map { "http://127.0.0.1:\(port)/\(path)?\($0)" }
      }
      let before = try peakKiB()
      let all = await results(of: urls, by: fetcher)
      let expected: [FetchFailure] = [.tooLarge, .tooLarge, .protocolError, .tooLarge, .httpStatus]
      #expect(all.map(\.failure) == expected.flatMap { Array(repeating: $0, count: 20) })
      #expect(try peakKiB() - before < 64 << 10, "KiB of growth")
    }
  }

  @Test("5,000 transfers are open at once in one process, in 500 MB")
  func fiveThousand() async throws {
    let count = 5000
    let server = try GatheringServer(count: count)
    let port = server.port
    await #expect(processExitsWith: .success) { [port = port as Int, count = count as Int] in
      let fetcher = try Fetcher(
        options: testOptions {
          $0.concurrency = count
          $0.minConcurrency = count
          $0.connectionsPerHost = count
          $0.connectTimeout = 60
          $0.firstByteDeadline = 60
          $0.totalDeadline = 120
          $0.lowSpeedSeconds = 120
          $0.attempts = 1
        })
      let all = await results(
        of: (0..<count).map { "http://127.0.0.1:\(port)/\($0)" }, by: fetcher)
      let failed = all.first { $0.failure != nil }
      #expect(failed == nil && all.count == count, "\(failed?.detail ?? "")")
      #expect(all.allSatisfy { $0.bodyCount == 20_000 })
      // The whole process, test runner included: 500 MB are 488,281 KiB.
      #expect(try peakKiB() < 488_281, "KiB of peak memory")
    }
    // The server answers nobody before all have asked, so that they were all open.
    #expect(server.gathered == count)
  }
}
