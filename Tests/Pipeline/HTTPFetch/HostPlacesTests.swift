import FaultServer
import Foundation
import HTTPFetch
import Testing

@Suite struct HostPlacesTests {
  @Test("a host's places are given once, whichever process asks, and another's are free")
  func bound() throws {
    let file = ScratchFile()
    // Several mappings of one file, each with a row of its own, are what several processes have.
    let tables = try (0..<3).map { _ in try SharedHosts(path: file.path).places }
    var random = SplitMix(state: 5)
    var held = [0, 0, 0]
    var (now, refusals) = (100.0, 0)
    for _ in 0..<20_000 {
      now += 0.001
      let who = Int.random(in: 0..<3, using: &random)
      if Bool.random(using: &random), held[who] > 0 {
        tables[who].release(1)
        held[who] -= 1
      } else if tables[who].claim(1, limit: 5, now: now) {
        held[who] += 1
      } else {
        refusals += 1
      }
      #expect(held.reduce(0, +) <= 5)
    }
    #expect(refusals > 1000)
    #expect(tables[0].claim(2, limit: 5, now: now))
  }

  @Test("of threads that claim at once no more than the limit win")
  func race() async throws {
    let file = ScratchFile()
    let tables = try (0..<4).map { _ in try SharedHosts(path: file.path).places }
    let held = Counter()
    await withTaskGroup(of: Void.self) { group in
      for table in tables {
        group.addTask {
          for _ in 0..<20_000 where table.claim(9, limit: 2, now: 1) {
            #expect(held.enter() <= 2)
            held.leave()
            table.release(9)
          }
        }
      }
    }
    #expect(held.total > 0)
  }

  @Test("who holds all places leaves some to who has waited, and who waits longest comes first")
  func fair() throws {
    let file = ScratchFile()
    let tables = try (0..<3).map { _ in try SharedHosts(path: file.path).places }
    func claim(_ who: Int, _ now: Double) -> Bool { tables[who].claim(3, limit: 4, now: now) }
    for _ in 0..<4 { #expect(claim(0, 10)) }
    #expect(!claim(1, 10))
    // Not long enough: the place that comes free is taken again.
    tables[0].release(3)
    #expect(claim(0, 10.02))
    for step in 1...6 { #expect(!claim(1, 10 + Double(step) * 0.02)) }
    // Longer than a tenth of a second: down to its share of two.
    tables[0].release(3)
    #expect(!claim(0, 10.14))
    #expect(claim(1, 10.15))
    tables[0].release(3)
    #expect(claim(1, 10.16))
    #expect(!claim(1, 10.17))

    // One place, and three that want it: the two that wait get it in order of their waiting.
    func single(_ who: Int, _ now: Double) -> Bool { tables[who].claim(4, limit: 1, now: now) }
    #expect(single(0, 20))
    #expect(!single(1, 20) && !single(2, 20.05))
    for step in 1...10 {
      #expect(!single(1, 20.05 + Double(step) * 0.02))
      #expect(!single(2, 20.05 + Double(step) * 0.02))
    }
    tables[0].release(4)
    #expect(!single(0, 20.26) && !single(2, 20.26))
    #expect(single(1, 20.27))
    tables[1].release(4)
    #expect(!single(1, 20.28) && !single(0, 20.28))
    #expect(single(2, 20.29))
  }

  @Test("one that waits no more keeps nobody from the places")
  func lapse() throws {
    let file = ScratchFile()
    let tables = try (0..<2).map { _ in try SharedHosts(path: file.path).places }
    #expect(tables[0].claim(3, limit: 1, now: 10))
    for step in 0...10 { #expect(!tables[1].claim(3, limit: 1, now: 10 + Double(step) * 0.02)) }
    tables[0].release(3)
    #expect(!tables[0].claim(3, limit: 1, now: 10.3))
    #expect(tables[0].claim(3, limit: 1, now: 10.6))
  }

  @Test("one that is stopped keeps nobody from the places; what it holds counts when it goes on")
  func stopped() throws {
    let file = ScratchFile()
    let tables = try (0..<2).map { _ in try SharedHosts(path: file.path).places }
    #expect(tables[0].claim(3, limit: 1, now: 10))
    let end = 10 + HostPlaces.silence
    for step in 1...10 { #expect(!tables[1].claim(3, limit: 1, now: 10 + Double(step) * 0.9)) }
    #expect(!tables[1].claim(3, limit: 1, now: end - 0.1))
    #expect(tables[1].claim(3, limit: 1, now: end + 0.1))
    tables[1].release(3)
    tables[0].beat(now: end + 0.2)
    #expect(!tables[1].claim(3, limit: 1, now: end + 0.3))
    tables[0].release(3)
    #expect(tables[1].claim(3, limit: 1, now: end + 0.4))
  }

  @Test("a fetcher that ends gives its row back, and more than there are rows are refused")
  func rows() throws {
    let file = ScratchFile()
    var tables = try (0..<HostPlaces.rowCount).map { _ in try SharedHosts(path: file.path) }
    let error = #expect(throws: FetcherError.self) { try SharedHosts(path: file.path) }
    #expect(error?.description.contains("64 processes") == true)
    #expect(tables[63].places.claim(1, limit: 1, now: 0))
    tables.removeLast()
    let next = try SharedHosts(path: file.path)
    #expect(next.places.claim(1, limit: 1, now: 0))
  }

  @Test("a file of something else is refused, and left as it is")
  func wrongFile() throws {
    let file = ScratchFile()
    try Data("a list".utf8).write(to: URL(filePath: file.path))
    let error = #expect(throws: FetcherError.self) { try SharedHosts(path: file.path) }
    #expect(error?.description.contains("no table of hosts") == true)
    #expect(try Data(contentsOf: URL(filePath: file.path)) == Data("a list".utf8))
  }

  @Test("four processes together keep a host's bound of transfers, and use all of it")
  func processes() async throws {
    let server = try FaultServer()
    let file = ScratchFile()
    let (port, path) = (server.port, file.path)
    func fetchers() async {
      await #expect(processExitsWith: .success) {
        [port = port as Int, path = path as String] in
        let fetcher = try Fetcher(
          options: testOptions {
            $0.connectionsPerHost = 3
            $0.sharedHosts = path
          })
        let urls = (0..<25).map { "http://127.0.0.1:\(port)/late/20?\(getpid())-\($0)" }
        let all = await results(of: urls, by: fetcher)
        #expect(all.allSatisfy { $0.failure == nil })
      }
    }
    async let first: Void = fetchers()
    async let second: Void = fetchers()
    async let third: Void = fetchers()
    async let fourth: Void = fetchers()
    _ = await (first, second, third, fourth)
    #expect(server.counters.order.count == 100)
    // Not of those in flight: an answer may be there before the server counts it as sent.
    #expect(server.counters.peakWaiting == 3)
  }

  @Test("a process that is killed gives its places back", .timeLimit(.minutes(2)))
  func killed() async throws {
    let server = try FaultServer()
    let other = try FaultServer()
    let (file, identity) = (ScratchFile(), ScratchFile())
    let (port, path, note) = (server.port, file.path, identity.path)
    async let victim = #expect(processExitsWith: .signal(SIGKILL)) {
      [port = port as Int, path = path as String, note = note as String] in
      try "\(getpid())".write(toFile: note, atomically: true, encoding: .utf8)
      let fetcher = try Fetcher(
        options: testOptions {
          $0.connectionsPerHost = 3
          $0.sharedHosts = path
          $0.totalDeadline = 100
          $0.firstByteDeadline = 100
          $0.lowSpeedSeconds = 0
        })
      _ = await results(of: (0..<9).map { "http://127.0.0.1:\(port)/hang/\($0)" }, by: fetcher)
    }
    while server.counters.inFlight < 3 { await Task.yield() }
    let fetcher = try Fetcher(
      options: testOptions {
        $0.connectionsPerHost = 3
        $0.sharedHosts = file.path
      })
    async let waiting = results(of: (0..<5).map { server.url("/ok/\($0)") }, by: fetcher)
    // The loop has been round: what waits has been asked about.
    for turn in 0..<3 {
      let answers = await results(of: [other.url("/ok/\(turn)")], by: fetcher)
      #expect(answers[0].failure == nil)
    }
    #expect(server.counters.order.count == 3)
    let process = try #require(Int32(try String(contentsOfFile: note, encoding: .utf8)))
    kill(process, SIGKILL)
    _ = await victim
    #expect(await waiting.allSatisfy { $0.failure == nil })
    #expect(server.counters.order.count == 8)
  }

  @Test("a host that one process found dead is not asked by another")
  func deadForAll() async throws {
    let server = try FaultServer()
    let file = ScratchFile()
    let (port, path) = (server.port, file.path)
    await #expect(processExitsWith: .success) {
      [port = port as Int, path = path as String] in
      let fetcher = try Fetcher(
        options: testOptions {
          $0.breakerFailures = 5
          $0.connectionsPerHost = 1
          $0.firstByteDeadline = 0.1
          $0.attempts = 1
          $0.sharedHosts = path
        })
      let all = await results(
        of: (0..<4).map { "http://127.0.0.1:\(port)/hang/\($0)" }, by: fetcher)
      #expect(all.allSatisfy { $0.failure == .timeout && $0.attempts == 1 })
    }
    let fetcher = try Fetcher(
      options: testOptions {
        $0.breakerFailures = 5
        $0.connectionsPerHost = 1
        $0.firstByteDeadline = 0.1
        $0.attempts = 1
        $0.sharedHosts = file.path
      })
    let all = await results(of: (4..<20).map { server.url("/hang/\($0)") }, by: fetcher)
    // Four failures there and one here.
    #expect(server.counters.order.count == 5)
    #expect(all.allSatisfy { $0.failure == .timeout })
    #expect(all.count { $0.detail.contains("circuit open") && $0.attempts == 0 } == 15)
  }
}

/// How many are inside now, from any thread.
private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var inside = 0
  private(set) var total = 0

  func enter() -> Int {
    lock.withLock {
      inside += 1
      total += 1
      return inside
    }
  }

  func leave() { lock.withLock { inside -= 1 } }
}
