import Foundation
import GRDB
import Glibc
import JobLedger
import Testing

/// What SQLite's file promises beyond the conformance suite: durability, its cost, and damage told.
@Suite struct SQLiteLedgerTests {
  /// Copies the ledger's files as a power cut would leave them, without the index of the log.
  private static func copy(_ fixture: LedgerFixture, as name: String) throws -> String {
    let copy = fixture.folder + "/" + name
    for suffix in ["", "-wal"] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.ledger.path + suffix))
      try bytes.write(to: URL(fileURLWithPath: copy + suffix))
    }
    return copy
  }

  /// A connection that can hold the write lock from one access to the next, as a slow process does.
  private static func holder(of ledger: SQLiteLedger) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    return try DatabaseQueue(path: ledger.path, configuration: configuration)
  }

  @Test("what a call has answered is in the files at that moment")
  func durability() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let ledger = fixture.ledger
    try await ledger.add((0..<3).map { job("a", $0) }, now: 0)
    let copies: [(String, JobState)] = [
      ("claimed", .leased), ("failed", .retryable), ("again", .leased), ("done", .completed),
    ]
    var lease = try #require(try await fixture.claim())
    for (step, state) in copies {
      switch step {
      case "failed": try await ledger.fail(lease, error: "e", now: 1)
      case "again": lease = try #require(try await fixture.claim(now: 60_000))
      case "done": try await ledger.complete(lease, counts: "{}", now: 60_001)
      default: break
      }
      let copy = try SQLiteLedger(path: try Self.copy(fixture, as: step))
      #expect(try await copy.state(of: lease.name) == state, "\(step)")
      if step == "again" { #expect(lease.name == name("a", 0)) }
    }
  }

  @Test("each of many callers at once finds its change in the files when it is answered")
  func durableGroup() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let ledger = fixture.ledger
    try await ledger.add((0..<40).map { job("a", $0) }, now: 0)
    var leases: [Lease] = []
    while let lease = try await fixture.claim() { leases.append(lease) }
    let before = await ledger.commits
    let missing = try await withThrowingTaskGroup(of: Int.self) { group in
      for lease in leases {
        group.addTask {
          try await ledger.complete(lease, counts: "{}", now: 1)
          // Later groups may be half written in the copy: their log ends without a commit.
          let copy = try SQLiteLedger(
            path: try Self.copy(fixture, as: "copy-\(lease.name.chunk)"))
          return try await copy.state(of: lease.name) == .completed ? 0 : 1
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(missing == 0)
    // They came together, so they shared fsyncs.
    #expect(await ledger.commits - before <= 20)
  }

  @Test("while another process holds the lock callers gather, and few commits serve them all")
  func gathering() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let ledger = fixture.ledger
    try await ledger.add((0..<200).map { job("a", $0) }, now: 0)
    let holder = try Self.holder(of: ledger)
    let before = await ledger.commits
    let claims = try await withThrowingTaskGroup(of: Lease?.self) { group in
      let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
      try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
      for _ in 0..<200 {
        group.addTask {
          beginning.yield()
          return try await fixture.claim()
        }
      }
      var count = 0
      for await _ in begun {
        count += 1
        if count == 200 { break }
      }
      try await holder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(claims.compactMap { $0?.name }).count == 200)
    // One that waited for the lock, those that gathered behind it, and stragglers.
    #expect(await ledger.commits - before <= 50)
  }

  @Test("when the commit fails, every caller of the group is told, and nothing is kept")
  func failedCommit() async throws {
    await #expect(processExitsWith: .success) {
      let fixture = try LedgerFixture()
      defer { fixture.remove() }
      let ledger = fixture.ledger
      try await ledger.add((0..<16).map { job("a", $0) }, now: 0)
      var leases: [Lease] = []
      while let lease = try await fixture.claim() { leases.append(lease) }
      // From here no file can grow: the log's frames are refused when the group is committed.
      signal(SIGXFSZ, SIG_IGN)
      var old = rlimit()
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
      let size = try FileManager.default.attributesOfItem(atPath: ledger.path + "-wal")[.size]
      var limit = old
      limit.rlim_cur = UInt(try #require(size as? Int))
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let errors = await withTaskGroup(of: LedgerError?.self) { group in
        for lease in leases {
          group.addTask {
            do throws(LedgerError) {
              try await ledger.complete(lease, counts: "{}", now: 1)
              return nil
            } catch { return error }
          }
        }
        return await group.reduce(into: [LedgerError]()) { if let error = $1 { $0.append(error) } }
      }
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
      precondition(errors.count == 16, "\(errors.count) of 16 were told")
      for error in errors {
        guard case .database = error else { preconditionFailure("\(error)") }
      }
      let kept = try await ledger.tally()
      precondition(kept == ["a": [.leased: 16]], "\(kept)")
      let copy = try await SQLiteLedger(path: ledger.path).tally()
      precondition(copy == kept, "\(copy)")
      // With room again the same calls succeed.
      for lease in leases { try await ledger.complete(lease, counts: "{}", now: 2) }
      let done = try await ledger.tally()
      precondition(done == ["a": [.completed: 16]], "\(done)")
    }
  }

  @Test("reading holds nobody up and needs no lock")
  func readers() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let holder = try Self.holder(of: fixture.ledger)
    try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let reader = try SQLiteLedger(path: fixture.ledger.path)
    #expect(try await reader.tally() == ["a": [.available: 1]])
    #expect(try await reader.rescue(now: 1) { _ in nil }.isEmpty)
    try await holder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
  }

  /// What is done to a whole ledger of some pages, checkpointed into its file.
  static let damage: [(String, @Sendable (inout Data) -> Void)] = [
    ("another header", { $0.replaceSubrange(0..<16, with: Data("not a database!!".utf8)) }),
    ("cut to a page", { $0 = $0.prefix(4_096) }),
    ("cut in the middle of a page", { $0 = $0.prefix(10_000) }),
    (
      "zeros from its second page on",
      { $0.replaceSubrange(4_096..., with: Data(count: $0.count - 4_096)) }
    ),
    (
      "noise",
      { $0 = Data((0..<$0.count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }) }
    ),
    ("another program's database", { _ in }),
  ]

  @Test(
    "a damaged file is told from a broken disk, with the way to mend it", arguments: damage.indices)
  func damaged(_ index: Int) async throws {
    let (what, damage) = Self.damage[index]
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let path = fixture.folder + "/damaged.sqlite"
    try await fixture.ledger.add((0..<400).map { job("a", $0) }, now: 0)
    try await DatabaseQueue(path: fixture.ledger.path).writeWithoutTransaction { database in
      try database.execute(sql: "VACUUM INTO ?", arguments: [path])
    }
    if what.hasPrefix("another program") {
      try FileManager.default.removeItem(atPath: path)
      try await DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE t(x)") }
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    damage(&bytes)
    try bytes.write(to: URL(fileURLWithPath: path))
    do {
      let ledger = try SQLiteLedger(path: path)
      for chunk in 0..<400 { _ = try await ledger.state(of: name("a", chunk)) }
      _ = try await ledger.tally()
      try await ledger.add([job("b", 0, needs: [name("a", 399)])], now: 1)
      Issue.record("\(what): nobody noticed")
    } catch {
      guard case .damaged(path, _) = error else {
        Issue.record("\(what): \(error)")
        return
      }
      #expect(
        error.description.contains(
          "--repair` makes it again from the files"))
    }
  }

  @Test("a value that no column may hold is damage, not a crash")
  func wrongValues() async throws {
    for sql in [
      "UPDATE jobs SET state = 'done'", "UPDATE attempts SET outcome = 'gone'",
      "INSERT INTO job_tally VALUES ('a', 'done', 1)",
    ] {
      let fixture = try LedgerFixture()
      defer { fixture.remove() }
      try await fixture.ledger.add([job("a", 0)], now: 0)
      _ = try await fixture.claim()
      try await DatabaseQueue(path: fixture.ledger.path).writeWithoutTransaction { database in
        // As a flipped bit would, past the constraints and the triggers.
        try database.execute(
          sql: """
            PRAGMA ignore_check_constraints = ON; DROP TRIGGER jobs_tally_update; \(sql)
            """)
      }
      let error = await #expect(throws: LedgerError.self) {
        _ = try await fixture.ledger.tally()
        _ = try await fixture.ledger.history()
        _ = try await fixture.ledger.state(of: name("a", 0))
      }
      guard case .damaged = error else {
        Issue.record("\(sql): \(error.map { "\($0)" } ?? "no error")")
        continue
      }
    }
  }
}
