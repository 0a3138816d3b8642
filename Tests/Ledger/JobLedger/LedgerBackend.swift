import Foundation
import JobLedger
import Testing

/// A back end of the conformance suite: how to make a new ledger of its kind.
///
/// Every promise of ``Ledger`` is a test that takes one of these; what only SQLite's file promises (its
/// schema, migration, damage, durability) is tested beside the suite.
struct LedgerBackend: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let maker: @Sendable (RetryPolicy) async throws -> TestLedger

  func make(_ retry: RetryPolicy = RetryPolicy()) async throws -> TestLedger {
    try await maker(retry)
  }

  static let all = [
    LedgerBackend(testDescription: "SQLite") { retry in
      let fixture = try LedgerFixture(retry: retry)
      return TestLedger(
        ledger: fixture.ledger,
        another: { try SQLiteLedger(path: fixture.ledger.path, retry: retry) },
        remove: { fixture.remove() })
    }
  ]
}

/// A new ledger of some back end, and the owners that the tests use.
struct TestLedger: Sendable {
  let ledger: any Ledger
  /// Another handle on the same ledger, as another process has.
  let another: @Sendable () async throws -> any Ledger
  let remove: @Sendable () -> Void

  static let alice = LeaseOwner(host: "h", processID: 1, processStart: 7, worker: "alice")
  static let bob = LeaseOwner(host: "h", processID: 2, processStart: 8, worker: "bob")

  func claim(_ owner: LeaseOwner = alice, stages: [String] = ["a", "b", "c"], now: Int = 0)
    async throws -> Lease?
  {
    try await ledger.claim(stages: stages, owner: owner, duration: 100, now: now)
  }
}

/// A ledger of SQLite in a folder of its own.
struct LedgerFixture: Sendable {
  let folder: String
  let ledger: SQLiteLedger

  init(retry: RetryPolicy = RetryPolicy()) throws {
    folder = FileManager.default.temporaryDirectory.path + "/ledger-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    ledger = try SQLiteLedger(path: folder + "/ledger.sqlite", retry: retry)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  static let alice = TestLedger.alice
  static let bob = TestLedger.bob

  func claim(_ owner: LeaseOwner = alice, stages: [String] = ["a", "b", "c"], now: Int = 0)
    async throws -> Lease?
  {
    try await ledger.claim(stages: stages, owner: owner, duration: 100, now: now)
  }
}

func job(_ stage: String, _ chunk: Int, rank: Int = 0, needs: [JobName] = [], after: [JobName] = [])
  -> NewJob
{
  NewJob(JobName(stage: stage, chunk: chunk), rank: rank, needs: needs, after: after)
}

func name(_ stage: String, _ chunk: Int = 0) -> JobName { JobName(stage: stage, chunk: chunk) }
