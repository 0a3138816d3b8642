import Foundation
import OriginLedger
import Testing

@Suite struct OriginLedgerTests {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "pairloom-origins-\(UUID().uuidString)")
  var path: String { folder.appending(path: "origins.sqlite").path }
  /// Some day of 2026, in milliseconds since 1970.
  let now = 1_790_000_000_000

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func open(kind: String = "rules/1", now: Int? = nil) throws -> OriginLedger {
    try OriginLedger(path: path, kind: kind, now: now ?? self.now)
  }

  @Test("of all who ask for an origin one gets it, and the others its content")
  func claims() throws {
    let ledgers = try (0..<3).map { _ in try open() }
    #expect(try ledgers[0].claim(["a", "b"], now: now) == [.yours, .yours])
    #expect(try ledgers[1].claim(["a", "c", "b"], now: now + 1) == [.busy, .yours, .busy])
    // Asking twice is no second claim.
    #expect(try ledgers[0].claim(["a"], now: now + 2) == [.yours])
    try ledgers[0].store([("a", [1, 2]), ("b", [])], now: now + 3)
    let expected: [OriginLedger.Claim] = [
      .known(content: [1, 2], storedAt: now + 3), .known(content: [], storedAt: now + 3), .busy,
    ]
    #expect(try ledgers[2].claim(["a", "b", "c"], now: now + 4) == expected)
    #expect(try ledgers[0].claim(["a", "b", "c"], now: now + 4) == expected)
  }

  @Test("contents outlive the process, for a day and no longer")
  func lifetime() throws {
    try open().store([("a", [7])], now: now)
    let last = now + OriginLedger.lifetime - 1
    #expect(
      try open(now: last).claim(["a"], now: last) == [.known(content: [7], storedAt: now)])
    let ledger = try open(now: last)
    #expect(try ledger.claim(["a"], now: last + 1) == [.yours])
    #expect(try open(now: last).claim(["a"], now: last + 1) == [.busy])
    try ledger.store([("a", [8])], now: last + 2)
    #expect(
      try open(now: last).claim(["a"], now: last + 3) == [.known(content: [8], storedAt: last + 2)])
    // A clock that was set back by more than a day tells nothing of the age.
    #expect(try ledger.claim(["a"], now: now) == [.yours])
  }

  @Test("a claim that came to nothing is free for the next, and only its owner can free it")
  func release() throws {
    let (first, second) = (try open(), try open())
    #expect(try first.claim(["a"], now: now) == [.yours])
    try second.release(["a"])
    #expect(try second.claim(["a"], now: now) == [.busy])
    try first.release(["a", "never claimed"])
    #expect(try second.claim(["a"], now: now) == [.yours])
  }

  @Test("a claim ends with its lease")
  func lease() throws {
    let (first, second) = (try open(), try open())
    #expect(try first.claim(["a"], now: now) == [.yours])
    #expect(try second.claim(["a"], now: now + OriginLedger.lease - 1) == [.busy])
    #expect(try second.claim(["a"], now: now + OriginLedger.lease) == [.yours])
    #expect(try first.claim(["a"], now: now + OriginLedger.lease) == [.busy])
  }

  @Test("a process that was killed holds no claim")
  func killed() async throws {
    let (path, now) = (self.path, self.now)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, now = now as Int] in
      let ledger = try OriginLedger(path: path, kind: "rules/1", now: now)
      guard try ledger.claim(["a"], now: now) == [.yours] else { return }
      kill(getpid(), SIGKILL)
    }
    #expect(try open().claim(["a"], now: now + 1) == [.yours])
  }

  @Test("kinds are kept apart")
  func kinds() throws {
    try open().store([("a", [1])], now: now)
    #expect(try open(kind: "rules/2").claim(["a"], now: now) == [.yours])
  }

  @Test("threads that race for origins win each once")
  func race() async throws {
    let ledgers = try (0..<4).map { _ in try open() }
    let origins = (0..<50).map { "http://host\($0):80" }
    let now = self.now
    let wins = try await withThrowingTaskGroup(of: [String].self) { group in
      for ledger in ledgers {
        group.addTask {
          try origins.filter { try ledger.claim([$0], now: now) == [.yours] }
        }
      }
      return try await group.reduce(into: [String]()) { $0 += $1 }
    }
    #expect(wins.sorted() == origins.sorted())
  }

  @Test("what is no cache of ours is refused with what to do")
  func unusable() throws {
    try Data("no database, but as long as one must be".utf8).write(to: URL(filePath: path))
    let damaged = #expect(throws: OriginLedgerError.self) { try open() }
    #expect(damaged?.description.contains("remove it") == true)
    let missing = #expect(throws: OriginLedgerError.self) {
      try OriginLedger(path: "/nowhere/x.sqlite", kind: "rules/1", now: now)
    }
    #expect(missing?.description.contains("check that the folder exists") == true)
  }
}
