import Foundation
import JobLedger
import PipelineCore
import Testing

/// What the ledger's rows make of a run's status.
@Suite struct RunStatusTests {
  final class Fixture {
    let path = FileManager.default.temporaryDirectory.path + "/status-\(UUID()).sqlite"
    let ledger: SQLiteLedger

    init() throws { ledger = try SQLiteLedger(path: path) }

    deinit {
      for ending in ["", "-wal", "-shm"] {
        try? FileManager.default.removeItem(atPath: path + ending)
      }
    }

    static let owner = LeaseOwner(host: "h", processID: 7, processStart: 1, worker: "0-network")

    func complete(_ stage: String, _ counts: String, now: Int) async throws {
      let lease = try #require(
        await ledger.claim(stages: [stage], owner: Self.owner, duration: 60_000, now: now))
      try await ledger.complete(lease, counts: counts, now: now)
    }
  }

  /// A list of 40 rows in four chunks; two are downloaded, at 20 s and 30 s; a third is in work.
  static func fixture() async throws -> Fixture {
    let fixture = try Fixture()
    let ledger = fixture.ledger
    func name(_ stage: StageName, _ chunk: Int) -> JobName {
      JobName(stage: stage.rawValue, chunk: chunk)
    }
    try await ledger.add([NewJob(name(.ingest, 0), rank: 0)], now: 0)
    let session = try await ledger.beginSession(now: 10_000)
    try await fixture.complete(
      "ingest", #"{"input":40,"kept":40,"dropped":{},"facts":{"rows":40,"chunks":4}}"#, now: 10_000)
    try await ledger.add(
      (0..<4).flatMap { chunk in
        [
          NewJob(name(.download, chunk), rank: 1),
          NewJob(name(.decode, chunk), rank: 2, needs: [name(.download, chunk)]),
        ]
      }, now: 10_000)
    let facts =
      #""bytes":500,"received_bytes":900,"attempt":1,"transient":3,"transient.http_status":2,"#
      + #""transient.timeout":1"#
    for now in [20_000, 30_000] {
      try await fixture.complete(
        "download",
        #"{"input":10,"kept":4,"dropped":{"http_status":5,"timeout":1},"facts":{\#(facts)}}"#,
        now: now)
    }
    _ = try await ledger.claim(
      stages: ["download"], owner: Fixture.owner, duration: 5_000, now: 31_000)
    try await ledger.touchSession(session, now: 39_900)
    return fixture
  }

  @Test("a stage tells its jobs by state, its pace of late and since the start, and the time left")
  func stages() async throws {
    let fixture = try await Self.fixture()
    let status = try await RunStatus(ledger: fixture.ledger, now: 40_000)
    #expect(status.stages.map(\.name) == ["ingest", "download", "decode"])
    let download = status.stages[1]
    #expect(download.all == 4 && download.done == 2 && download.leased == 1)
    #expect(download.available == 1 && download.waiting == 0 && download.left == 2)
    #expect(download.pairs == 20)
    // Twenty pairs in the thirty seconds since the process began; its clock has told 29.9.
    #expect(download.recentRate == 20.0 / 30)
    #expect(download.meanRate == 20 / 29.9)
    // Two chunks took thirty seconds, and two are left.
    #expect(download.etaSeconds == 30)
    let decode = status.stages[2]
    #expect(decode.waiting == 2 && decode.available == 2 && decode.etaSeconds == nil)
    // Of all jobs two in those thirty seconds, and six are left.
    #expect(status.etaSeconds == 90)
    #expect(!status.isFinished)
  }

  @Test("what is in work is told with its age, and with whether its worker was heard of")
  func underWay() async throws {
    let fixture = try await Self.fixture()
    let early = try await RunStatus(ledger: fixture.ledger, now: 35_000).underWay
    #expect(early.map(\.job) == ["download 2"])
    #expect(early[0].seconds == 4 && !early[0].isOverdue && early[0].process == 7)
    let late = try await RunStatus(ledger: fixture.ledger, now: 40_000).underWay
    #expect(late[0].seconds == 9 && late[0].isOverdue)
  }

  @Test("drops are told by class and reason, and bytes by what they are")
  func classes() async throws {
    let fixture = try await Self.fixture()
    let status = try await RunStatus(ledger: fixture.ledger, now: 40_000)
    #expect(status.failures == ["http_status": 10, "timeout": 2])
    #expect(status.failuresByClass["transient"] == ["http_status": 4, "timeout": 2])
    #expect(status.failuresByClass["permanent"] == ["http_status": 6])
    #expect(status.transient == 6 && status.permanent == 6)
    #expect(status.bytes == RunBytes(received: 1_800, fetched: 1_000, decoded: 0, sharded: 0))
  }

  @Test("without a process there is no pace of late, and the time left goes by the mean")
  func idle() async throws {
    let fixture = try await Self.fixture()
    let status = try await RunStatus(ledger: fixture.ledger, now: 400_000)
    #expect(status.stages.allSatisfy { $0.recentRate == nil })
    #expect(status.stages[1].etaSeconds == 29.9)
  }
}
