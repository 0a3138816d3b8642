import Foundation
import GRDB
import JobLedger
import Testing

/// A ledger of schema 1, made by the statements of then, and opened by this program.
@Suite struct LedgerMigrationTests {
  /// Jobs in every state, with what their attempts left, as schema 1 kept them.
  private static let rows = """
    INSERT INTO meta VALUES ('config.size', '256'), ('note.scorer', 'scene');
    INSERT INTO jobs(id, stage, chunk, rank, state, attempt, counts, settled_at) VALUES
      (1, 'a', 0, 0, 'completed', 2, '{"kept":3,"dropped":{"bad_url":4}}', 50),
      (2, 'a', 1, 0, 'completed', 1, '{"kept":5}', 60);
    INSERT INTO jobs(id, stage, chunk, rank, state, attempt, failures, not_before, lease_expires,
        owner_host, owner_pid, owner_start, owner_worker, settled_at) VALUES
      (3, 'b', 0, 1, 'leased', 1, 0, NULL, 900, 'h/b00t', 17, 99, 'w', NULL),
      (4, 'b', 1, 1, 'retryable', 2, 2, 800, NULL, NULL, NULL, NULL, NULL, NULL),
      (5, 'b', 2, 1, 'quarantined', 4, 4, NULL, NULL, NULL, NULL, NULL, NULL, 70),
      (6, 'b', 3, 1, 'available', 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO jobs(id, stage, chunk, rank, state, waiting_for) VALUES (7, 'c', 0, 2, 'waiting', 2);
    INSERT INTO job_dependencies VALUES (3, 1, 'needs'), (4, 2, 'needs'), (7, 3, 'needs'),
      (7, 6, 'after'), (7, 5, 'after');
    INSERT INTO attempts VALUES
      (1, 1, 'h/b00t', 17, 'w', 5, 9, 'expired', NULL),
      (1, 2, 'h/b00t', 17, 'w', 10, 50, 'completed', NULL),
      (2, 1, 'h/b00t', 17, 'w', 5, 60, 'completed', NULL),
      (3, 1, 'h/b00t', 17, 'w', 61, NULL, 'running', NULL),
      (4, 1, 'h/b00t', 17, 'w', 5, 6, 'failed', 'first'),
      (4, 2, 'h/b00t', 17, 'w', 7, 8, 'failed', 'second'),
      (5, 4, 'h/b00t', 17, 'w', 7, 70, 'failed', 'last'),
      (6, 1, 'h/b00t', 17, 'w', 7, 8, 'released', NULL);
    INSERT INTO sessions VALUES (1, 0, 40), (2, 10, 20);
    """

  static func schema1() throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    return try String(contentsOfFile: folder + "/Fixtures/schema-1.sql", encoding: .utf8)
  }

  /// A folder with a ledger of schema 1.
  static func old() throws -> (folder: String, path: String) {
    let folder = FileManager.default.temporaryDirectory.path + "/ledger-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let database = try DatabaseQueue(path: folder + "/ledger.sqlite")
    let sql = try schema1() + rows
    try database.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA journal_mode = WAL")
      try $0.execute(sql: sql)
    }
    try database.close()
    return (folder, folder + "/ledger.sqlite")
  }

  @Test("a ledger of schema 1 opens with all that it held, and its work goes on")
  func migration() async throws {
    let (folder, path) = try Self.old()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let ledger = try SQLiteLedger(path: path)
    #expect(
      try await ledger.tally() == [
        "a": [.completed: 2],
        "b": [.leased: 1, .retryable: 1, .quarantined: 1, .available: 1], "c": [.waiting: 1],
      ])
    #expect(try await ledger.totals() == ["a": ["$.kept": 8, "$.dropped.bad_url": 4]])
    #expect(try await ledger.unsettledCount() == 4)
    #expect(try await ledger.quarantined().map(\.error) == ["last"])
    #expect(try await ledger.workedMilliseconds() == 50)
    #expect(try await ledger.note("scorer") == "scene")
    try await ledger.bind(configuration: [("size", "256")], now: 100)
    let history = try await ledger.history()
    #expect(history.count == 8)
    #expect(history[3].outcome == .running && history[3].pid == 17 && history[3].host == "h/b00t")
    #expect(history.compactMap(\.error) == ["first", "second", "last"])
    // The lease that was running ends as it should; then all the rest is done.
    #expect(try await ledger.rescue(now: 899) { _ in nil }.isEmpty)
    #expect(try await ledger.rescue(now: 900) { _ in nil } == [name("b", 0)])
    var done: [JobName] = []
    while let lease = try await ledger.claim(
      stages: ["a", "b", "c"], owner: TestLedger.alice, duration: 9, now: 1_000)
    {
      done.append(lease.name)
      try await ledger.complete(lease, counts: #"{"kept":1}"#, now: 1_001)
    }
    #expect(done == [name("b", 0), name("b", 1), name("b", 3), name("c", 0)])
    #expect(try await ledger.unsettledCount() == 0)
  }

  @Test("a migrated file has the tables of a new one, whole and without leftovers")
  func tables() async throws {
    let (folder, path) = try Self.old()
    let fresh = try LedgerFixture()
    defer {
      try? FileManager.default.removeItem(atPath: folder)
      fresh.remove()
    }
    _ = try SQLiteLedger(path: path)
    var found: [[String]] = []
    for path in [path, fresh.ledger.path] {
      found.append(
        try await DatabaseQueue(path: path).read {
          try String.fetchAll($0, sql: "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY 1")
        })
    }
    #expect(found[0] == found[1])
    let (integrity, violations, version) = try await DatabaseQueue(path: path).read {
      (
        try String.fetchAll($0, sql: "PRAGMA integrity_check"),
        try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").count,
        try Int.fetchOne($0, sql: "PRAGMA user_version")
      )
    }
    #expect(integrity == ["ok"])
    #expect(violations == 0)
    #expect(version == 2)
  }

  @Test("a migration that cannot be done leaves the file of schema 1 as it was")
  func refusal() async throws {
    let (folder, path) = try Self.old()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let raw = try DatabaseQueue(path: path)
    // Schema 1 took counts that are no JSON.
    try await raw.write { try $0.execute(sql: "UPDATE jobs SET counts = 'x' WHERE id = 2") }
    #expect(throws: LedgerError.self) { try SQLiteLedger(path: path) }
    let (version, jobs) = try await raw.read {
      (
        try Int.fetchOne($0, sql: "PRAGMA user_version"),
        try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM jobs")
      )
    }
    #expect(version == 1)
    #expect(jobs == 7)
  }

  @Test("two processes that open an old ledger at once both find it migrated")
  func together() async throws {
    let (folder, path) = try Self.old()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask { try await SQLiteLedger(path: path).unsettledCount() }
      }
      for try await count in group { #expect(count == 4) }
    }
  }
}
