import DurableFiles
import Foundation
import JobLedger
import PipelineCore
import Testing
import URLPipeline

@Suite struct HostSurveyTests {
  /// A ledger and tables of fetches as downloads leave them.
  final class Fixture {
    let folder: RunFolder
    let ledger: any Ledger

    init() throws {
      folder = RunFolder(FileManager.default.temporaryDirectory.path + "/survey-\(UUID())")
      try folder.make()
      ledger = try SQLiteLedger(path: folder.ledger)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    func add(_ chunks: Range<Int>) async throws {
      try await ledger.add(
        chunks.map { NewJob(JobName(stage: "download", chunk: $0), rank: 1) }, now: 0)
    }

    /// Ends the download of the next chunk.
    func fetch(_ rows: [FetchedRow]) async throws {
      let owner = LeaseOwner(host: "h", processID: 1, processStart: 1, worker: "w")
      let lease = try #require(
        await ledger.claim(stages: ["download"], owner: owner, duration: 1_000, now: 0))
      try PairTable.write(
        rows.map(\.json), columns: FetchedRow.columns,
        to: folder.fetchedTable(lease.name.chunk, attempt: 1))
      try await ledger.complete(
        lease, counts: #"{"input":0,"kept":0,"dropped":{},"facts":{"attempt":1}}"#, now: 0)
    }
  }

  static func row(_ row: Int, _ url: String, _ reason: DropReason? = nil, status: Int? = nil)
    -> FetchedRow
  {
    FetchedRow(
      row: row, attempt: 1, status: status, record: [.init("final_url", .string(url))],
      drop: reason.map { Drop($0) },
      bytes: reason == nil ? ByteRange(offset: 0, length: 1) : nil,
      sha256: reason == nil ? "0" : nil)
  }

  @Test("hosts are told by failures and by share, and a row counts as its newest chunk tells")
  func ranks() async throws {
    let fixture = try Fixture()
    try await fixture.add(0..<3)
    let big: [FetchedRow] = (0..<40).map { row in
      let reason: DropReason? = row < 10 ? .timeout : row < 12 ? .tls : nil
      return Self.row(row, "https://big.test/\(row)", reason)
    }
    let dead = (40..<46).map { Self.row($0, "http://dead.test:8080/x?y=\($0)", .connect) }
    let one = Self.row(46, "http://one.test/", .httpStatus, status: 404)
    try await fixture.fetch(big + dead + [one])
    // Rows 0 to 3 once more, of which 3 has failed again.
    try await fixture.fetch((0..<4).map { Self.row($0, "https://big.test/", $0 == 3 ? .dns : nil) })
    let survey = try await HostSurvey(fixture.folder, ledger: fixture.ledger)
    #expect(survey.rows == 47 && survey.chunks == 2 && survey.chunksOfRun == 3)
    #expect(!survey.isComplete && survey.hosts == 3)
    let worst = survey.mostFailures.map {
      "\($0.name): \($0.failed) of \($0.rows), \($0.transient) may heal, \($0.reason)"
    }
    #expect(
      worst == [
        "big.test: 9 of 40, 7 may heal, timeout", "dead.test: 6 of 6, 6 may heal, connect",
        "one.test: 1 of 1, 0 may heal, http_status",
      ])
    #expect(survey.largestShare.map(\.name) == ["dead.test", "big.test"])
    #expect(survey.transientAtLiveHosts == 7 && survey.transientAtSilentHosts == 6)
  }

  @Test("of a large run chunks at equal distances are read, and no more rows than the bound")
  func bounded() async throws {
    let fixture = try Fixture()
    try await fixture.add(0..<50)
    for chunk in 0..<50 {
      try await fixture.fetch(
        (0..<1_000).map { Self.row(chunk * 1_000 + $0, "http://h\(chunk).test/", .timeout) })
    }
    let survey = try await HostSurvey(fixture.folder, ledger: fixture.ledger)
    // 20,000 rows are 20 chunks, and every third of 50 are 17.
    #expect(survey.rows == 17_000 && survey.chunks == 17 && survey.chunksOfRun == 50)
    #expect(
      survey.mostFailures.map(\.name) == [
        "h0.test", "h12.test", "h15.test", "h18.test", "h21.test",
      ])
  }

  @Test("of a run that has just begun every finished chunk is read, wherever it lies")
  func begun() async throws {
    let fixture = try Fixture()
    try await fixture.add(0..<50)
    for chunk in 0..<10 {
      try await fixture.fetch(
        (0..<1_000).map { Self.row(chunk * 1_000 + $0, "http://h\(chunk).test/", .timeout) })
    }
    let survey = try await HostSurvey(fixture.folder, ledger: fixture.ledger)
    #expect(survey.rows == 10_000 && survey.chunks == 10 && survey.chunksOfRun == 50)
    #expect(!survey.isComplete)
  }

  @Test("a run without downloads has no hosts")
  func empty() async throws {
    let fixture = try Fixture()
    #expect(try await HostSurvey(fixture.folder, ledger: fixture.ledger) == HostSurvey())
  }
}
