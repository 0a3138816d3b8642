import Foundation
import PipelineCore
import Testing

/// `pairloom status` as a user runs it.
@Suite(.serialized) struct StatusCommandTests {
  @Test("every stage is told with jobs, pace and bytes, in lines of 80 columns, and as JSON")
  func stages() throws {
    let folder = try TemporaryFolder()
    let (run, _) = try MaintenanceCommandTests.run(in: folder)
    let shown = try Program.run(["status", run])
    let stages = ["ingest", "download", "decode", "deduplicate", "shard", "filter"]
    for stage in stages {
      let jobs = ["ingest", "filter"].contains(stage) ? "1/1" : "3/3"
      #expect(
        shown.lines.contains { $0.hasPrefix(stage + " ") && $0.contains(" \(jobs) ") },
        "\(stage): \(shown.output)")
    }
    #expect(shown.lines.contains { $0.hasPrefix("bytes: ") && $0.contains(" received, ") })
    #expect(shown.lines.contains("dropped, may heal: http_status 20"))
    // Sentences are wrapped on a terminal; tables must fit.
    let wide = shown.lines.filter { $0.count > 80 && !$0.contains(run) && !$0.contains("retry") }
    #expect(wide == [])
    let status = try JSONValue.parse(Array(try Program.run(["status", run, "--json"]).output.utf8))
    for key in [
      "funnel", "rejected", "retried", "failures", "transient", "permanent", "jobs", "quarantined",
      "elapsedSeconds", "rates", "isFinished", "hosts", "stages", "underWay", "bytes",
      "failuresByClass",
    ] { #expect(status[key] != nil, "\(key)") }
    #expect(status["failuresByClass"]?["transient"]?["http_status"]?.integer == 20)
    guard case .array(let table) = status["stages"] ?? .null else {
      Issue.record("no stages")
      return
    }
    #expect(table.map { $0["name"]?.text } == stages)
    #expect(table[1]["done"]?.integer == 3 && table[1]["pairs"]?.integer == 60)
    let help = try Program.run(["status", "--help"]).output
    for key in ["failuresByClass", "underWay", "recentRate", "bytes"] {
      #expect(help.contains(key), "\(key)")
    }
  }
}
