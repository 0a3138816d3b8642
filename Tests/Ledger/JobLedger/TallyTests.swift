import Foundation
import GRDB
import JobLedger
import SeededRandom
import Testing

/// Tallies that triggers keep, held against the SQL that counts and sums all jobs.
@Suite struct TallyTests {
  /// A life of a ledger by chance: everything that moves a job, in any order.
  private struct Life {
    var random: RandomStream
    let fixture: LedgerFixture
    var leases: [Lease] = []
    var names: [JobName] = []
    var now = 0

    private mutating func below(_ bound: Int) -> Int { random.integer(below: bound) }

    /// Counts with nested and odd keys, negative numbers, and values that are not summed.
    private mutating func counts() -> String {
      let keys = ["kept", "input", "bad_url", "http 404", "ü", "a.b"]
      var parts = ["\"kept\":\(below(100))"]
      if below(2) == 0 { parts.append("\"dropped\":{\"\(keys[below(6)])\":\(below(9) - 4)}") }
      if below(3) == 0 { parts.append("\"list\":[1,{\"x\":\(below(5))},2.5,true,null,\"7\"]") }
      return "{" + parts.joined(separator: ",") + "}"
    }

    private mutating func takeLease() -> Lease? {
      leases.isEmpty ? nil : leases.remove(at: below(leases.count))
    }

    private mutating func someNames() -> [JobName] {
      names.isEmpty ? [] : (0..<1 + below(3)).map { _ in names[below(names.count)] }
    }

    mutating func step() async throws {
      let ledger = fixture.ledger
      now += below(20)
      do {
        switch below(12) {
        case 0:
          let needs = names.isEmpty ? [] : [names[below(names.count)]]
          let fresh = job(["a", "b", "c"][below(3)], below(40), rank: below(3), needs: needs)
          try await ledger.add([fresh], now: now)
          if !names.contains(fresh.name) { names.append(fresh.name) }
        case 1, 2, 3:
          if let lease = try await fixture.claim(now: now) { leases.append(lease) }
        case 4, 5, 6:
          if let lease = takeLease() {
            try await ledger.complete(lease, counts: counts(), now: now)
          }
        case 7:
          if let lease = takeLease() {
            try await ledger.fail(lease, error: "e", isFinal: below(4) == 0, now: now)
          }
        case 8:
          if let lease = takeLease() { try await ledger.release(lease, now: now) }
        case 9: try await ledger.rescue(now: now) { [dead = below(9) == 0] _ in dead ? false : nil }
        case 10: try await ledger.reopen(someNames())
        default: try await ledger.revise(someNames().map { ($0, counts()) })
        }
      } catch {
        switch error as? LedgerError {
        case .leaseLost, .busy: break
        default: throw error
        }
      }
    }
  }

  @Test("after any history, tallies and totals are what counting all jobs gives", arguments: 0..<6)
  func histories(seed: Int) async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 3, basePause: 5))
    defer { fixture.remove() }
    let raw = try DatabaseQueue(path: fixture.ledger.path)
    var life = Life(random: RandomStream(seed: UInt64(seed)), fixture: fixture)
    for step in 0..<300 {
      try await life.step()
      guard step % 10 == 9 else { continue }
      let slow = try await raw.read { try Self.counted($0) }
      #expect(try await fixture.ledger.tally() == slow.tally)
      #expect(try await fixture.ledger.totals() == slow.totals)
      #expect(try await fixture.ledger.unsettledCount() == slow.unsettled)
      #expect(try await fixture.ledger.unsettledCount(stages: ["b"]) == slow.unsettledOfB)
      #expect(try await fixture.ledger.quarantined().map(\.name) == slow.quarantined)
    }
  }

  @Test("tallies follow what any statement writes, also one that deletes or renames")
  func rawSQL() async throws {
    let (fixture, raw) = try await LedgerSchemaTests.everyState()
    defer { fixture.remove() }
    for sql in [
      "INSERT INTO jobs(stage, chunk, rank, state, attempt, counts, settled_at)"
        + " VALUES ('b', 0, 0, 'completed', 1, '{\"kept\":7,\"x\":0}', 1)",
      "UPDATE jobs SET stage = 'z' WHERE stage = 'b'",
      "DELETE FROM jobs WHERE stage = 'z'",
      "UPDATE jobs SET counts = '{\"y\":0}' WHERE id = 3",
      "DELETE FROM attempts; DELETE FROM job_dependencies; DELETE FROM jobs WHERE id <> 4",
    ] {
      try await raw.write { try $0.execute(sql: sql) }
      let slow = try await raw.read { try Self.counted($0) }
      #expect(try await fixture.ledger.tally() == slow.tally, "\(sql)")
      #expect(try await fixture.ledger.totals() == slow.totals, "\(sql)")
    }
  }

  private struct Counted: Sendable {
    var tally: [String: [JobState: Int]] = [:]
    var totals: [String: [String: Int]] = [:]
    var unsettled = 0
    var unsettledOfB = 0
    var quarantined: [JobName] = []
  }

  /// The same facts from the jobs themselves.
  private static func counted(_ database: Database) throws -> Counted {
    var counted = Counted()
    for row in try Row.fetchAll(
      database, sql: "SELECT stage, state, COUNT(*) FROM jobs GROUP BY stage, state")
    {
      let state = try #require(JobState(rawValue: row[1]))
      let (stage, count): (String, Int) = (row[0], row[2])
      counted.tally[stage, default: [:]][state] = count
      if !state.isSettled { counted.unsettled += count }
      if !state.isSettled && stage == "b" { counted.unsettledOfB += count }
    }
    for row in try Row.fetchAll(
      database,
      sql: """
        SELECT stage, replace(fullkey, '"', ''), SUM(atom) FROM jobs, json_tree(counts)
        WHERE state = 'completed' AND type = 'integer' GROUP BY 1, 2
        """)
    { counted.totals[row[0], default: [:]][row[1]] = row[2] }
    counted.quarantined = try Row.fetchAll(
      database,
      sql: "SELECT stage, chunk FROM jobs WHERE state = 'quarantined' ORDER BY chunk, rank, id"
    ).map { JobName(stage: $0[0], chunk: $0[1]) }
    return counted
  }
}
