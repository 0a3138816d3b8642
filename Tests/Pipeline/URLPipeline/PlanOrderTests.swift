import Foundation
import JobLedger
import PipelineCore
import Testing
import URLPipeline

/// A plan's jobs in a ledger, worked off by hand.
@Suite struct PlanOrderTests {
  @Test(
    "where all pictures count, none is judged before every decode has settled, whoever is given up",
    arguments: [0, 1, 9, 14])
  func waits(givenUp: Int) async throws {
    let path = FileManager.default.temporaryDirectory.path + "/plan-\(UUID().uuidString).sqlite"
    let ledger = try SQLiteLedger(path: path)
    defer {
      for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
    }
    let plan = PipelinePlan(window: 64, isScored: false, needsAll: true)
    let chunks = 16
    try await ledger.add(plan.jobs(chunks: 0..<chunks), now: 0)
    let me = LeaseOwner(host: "h", processID: 1, processStart: 1, worker: "w")
    func claim(_ stage: StageName) async throws -> Lease? {
      try await ledger.claim(stages: [stage.rawValue], owner: me, duration: 100, now: 1)
    }
    while let lease = try await claim(.download) {
      try await ledger.complete(lease, counts: "{}", now: 1)
    }
    while let lease = try await claim(.decode) {
      #expect(try await claim(.deduplicate) == nil, "before \(lease.name)")
      if lease.name.chunk < givenUp {
        try await ledger.fail(lease, error: "no", isFinal: true, now: 1)
      } else {
        try await ledger.complete(lease, counts: "{}", now: 1)
      }
    }
    var judged: [Int] = []
    while let lease = try await claim(.deduplicate) {
      // One at a time.
      #expect(try await claim(.deduplicate) == nil)
      judged.append(lease.name.chunk)
      try await ledger.complete(lease, counts: "{}", now: 1)
    }
    #expect(judged == Array(givenUp..<chunks))
    #expect(try await ledger.faults(isThorough: true) == [])
  }
}
