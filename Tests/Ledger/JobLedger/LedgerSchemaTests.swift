import Foundation
import GRDB
import JobLedger
import Testing

/// The file's constraints, tried with raw SQL as a wrong program would write it.
@Suite struct LedgerSchemaTests {
  /// A job in every state: 1 available, 2 leased, 3 completed, 4 retryable, 5 quarantined, 6 waiting.
  static func everyState() async throws -> (LedgerFixture, DatabaseQueue) {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 9))
    let ledger = fixture.ledger
    try await ledger.add(
      (1...5).map { job("a", $0, rank: -$0) } + [job("a", 6, rank: -6, needs: [name("a", 1)])],
      now: 0)
    let held = try #require(try await fixture.claim())
    var leases: [Int: Lease] = [:]
    while let lease = try await fixture.claim() { leases[lease.id] = lease }
    try await ledger.release(held, now: 1)
    try await ledger.complete(try #require(leases[3]), counts: #"{"kept":1}"#, now: 1)
    try await ledger.fail(try #require(leases[4]), error: "e", now: 1)
    try await ledger.fail(try #require(leases[5]), error: "e", isFinal: true, now: 1)
    return (fixture, try DatabaseQueue(path: ledger.path))
  }

  static let wrong = [
    "UPDATE jobs SET state = 'done' WHERE id = 1",
    "UPDATE jobs SET stage = '' WHERE id = 1",
    "UPDATE jobs SET stage = NULL WHERE id = 1",
    "UPDATE jobs SET chunk = -1 WHERE id = 1",
    "UPDATE jobs SET chunk = 'x' WHERE id = 1",
    "UPDATE jobs SET chunk = 2 WHERE id = 1",
    "UPDATE jobs SET settled_at = 12.5 WHERE id = 3",
    // Waiting, and what it waits for.
    "UPDATE jobs SET state = 'waiting' WHERE id = 1",
    "UPDATE jobs SET waiting_for = 1 WHERE id = 1",
    "UPDATE jobs SET waiting_for = 0 WHERE id = 6",
    "UPDATE jobs SET waiting_for = -1 WHERE id = 6",
    "UPDATE jobs SET state = 'available' WHERE id = 6",
    "UPDATE jobs SET waiting_for = 1 WHERE id = 5",
    // A lease without one of its parts, and a part without a lease.
    "UPDATE jobs SET state = 'leased' WHERE id = 1",
    "UPDATE jobs SET lease_expires = NULL WHERE id = 2",
    "UPDATE jobs SET lease_duration = NULL WHERE id = 2",
    "UPDATE jobs SET lease_duration = 0 WHERE id = 2",
    "UPDATE jobs SET owner_host = NULL WHERE id = 2",
    "UPDATE jobs SET owner_pid = NULL WHERE id = 2",
    "UPDATE jobs SET owner_start = NULL WHERE id = 2",
    "UPDATE jobs SET owner_worker = NULL WHERE id = 2",
    "UPDATE jobs SET state = 'available' WHERE id = 2",
    "UPDATE jobs SET attempt = 0 WHERE id = 2",
    "UPDATE jobs SET lease_expires = 9 WHERE id = 1",
    "UPDATE jobs SET lease_duration = 9 WHERE id = 1",
    "UPDATE jobs SET owner_host = 'h' WHERE id = 3",
    // Completed: with counts, by an attempt, at a time.
    "UPDATE jobs SET counts = NULL WHERE id = 3",
    "UPDATE jobs SET counts = '{\"kept\":' WHERE id = 3",
    "UPDATE jobs SET settled_at = NULL WHERE id = 3",
    "UPDATE jobs SET counts = '{}' WHERE id = 1",
    "UPDATE jobs SET settled_at = 5 WHERE id = 1",
    "UPDATE jobs SET state = 'completed', counts = '{}', settled_at = 1 WHERE id = 6",
    "INSERT INTO jobs(stage, chunk, rank, state, counts, settled_at)"
      + " VALUES ('b', 0, 0, 'completed', '{}', 1)",
    // Retryable: after a failure, and not before a time.
    "UPDATE jobs SET not_before = NULL WHERE id = 4",
    "UPDATE jobs SET failures = 0 WHERE id = 4",
    "UPDATE jobs SET not_before = 1 WHERE id = 1",
    "UPDATE jobs SET failures = 2 WHERE id = 4",
    "UPDATE jobs SET failures = -1 WHERE id = 1",
    "UPDATE jobs SET state = 'available' WHERE id = 5",
    "UPDATE jobs SET settled_at = NULL WHERE id = 5",
    // The fencing token.
    "UPDATE jobs SET attempt = attempt - 1 WHERE id = 3",
    // Attempts.
    "INSERT INTO attempts(job, attempt, host, pid, worker, started_at, outcome)"
      + " VALUES (2, 2, 'h', 1, 'w', 0, 'running')",
    "UPDATE attempts SET ended_at = 1 WHERE job = 2",
    "UPDATE attempts SET outcome = 'expired' WHERE job = 2",
    "UPDATE attempts SET outcome = 'gone', ended_at = 1 WHERE job = 2",
    "UPDATE attempts SET outcome = 'failed', ended_at = 1 WHERE job = 2",
    "UPDATE attempts SET error = 'e' WHERE job = 3",
    "INSERT INTO attempts VALUES (99, 1, 'h', 1, 'w', 0, 1, 'completed', NULL)",
    "INSERT INTO attempts VALUES (1, 0, 'h', 1, 'w', 0, 1, 'completed', NULL)",
    // Dependencies.
    "INSERT INTO job_dependencies VALUES (2, 2, 'needs')",
    "INSERT INTO job_dependencies VALUES (2, 99, 'needs')",
    "INSERT INTO job_dependencies VALUES (2, 3, 'likes')",
    "INSERT INTO job_dependencies VALUES (6, 1, 'after')",
    "DELETE FROM jobs WHERE id = 1",
    // Sessions.
    "INSERT INTO sessions(host, pid, started_at, seen_at) VALUES ('h', 1, 5, 4)",
    "INSERT INTO sessions(host, pid, started_at, seen_at) VALUES ('', 1, 5, 5)",
    "INSERT INTO sessions(host, pid, started_at, seen_at) VALUES ('h', 0, 5, 5)",
  ]

  @Test("no statement writes a wrong state")
  func constraints() async throws {
    let (fixture, raw) = try await Self.everyState()
    defer { fixture.remove() }
    let states = try await raw.read {
      try String.fetchAll($0, sql: "SELECT state FROM jobs ORDER BY id")
    }
    #expect(
      states == ["available", "leased", "completed", "retryable", "quarantined", "waiting"])
    for sql in Self.wrong {
      try await raw.writeWithoutTransaction { database in
        let error = #expect(throws: DatabaseError.self, "\(sql)") {
          try database.execute(sql: sql)
        }
        #expect(
          error?.resultCode == .SQLITE_CONSTRAINT, "\(sql): \(error.map { "\($0)" } ?? "no error")")
      }
    }
  }

  @Test("a ledger of a newer schema is refused with its number, and not touched")
  func newer() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let path = fixture.ledger.path
    try await DatabaseQueue(path: path).writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA user_version = 3")
    }
    let error = #expect(throws: LedgerError.newerSchema(path: path, found: 3, known: 2)) {
      try SQLiteLedger(path: path)
    }
    let text = try #require(error).description
    #expect(text.contains("format 3") && text.contains("later"))
    let version = try await DatabaseQueue(path: path).read {
      try Int.fetchOne($0, sql: "PRAGMA user_version")
    }
    #expect(version == 3)
  }
}
