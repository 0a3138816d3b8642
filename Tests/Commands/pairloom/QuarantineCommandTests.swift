import DurableFiles
import Foundation
import PipelineCore
import Testing

/// `quarantine` and `gc` as a user runs them.
@Suite(.serialized) struct QuarantineCommandTests {
  /// A run of sixty rows in three chunks, of which the second could not be decoded.
  static func run(in folder: TemporaryFolder) throws -> (
    run: String, arguments: [String], web: RetryCommandTests.Web
  ) {
    let web = try RetryCommandTests.Web()
    web.heal()
    let run = folder.path + "/run"
    try FileManager.default.createDirectory(
      atPath: run + "/decoded/00001.parquet/x", withIntermediateDirectories: true)
    let arguments =
      RetryCommandTests.run(try web.list(60, in: folder.path), run) + ["--set", "chunk_attempts=1"]
    return (run, arguments, web)
  }

  @Test("a chunk is given up, listed, shown, released and done; gc and verify find nothing then")
  func life() throws {
    let folder = try TemporaryFolder()
    let (run, arguments, web) = try Self.run(in: folder)
    let broken = try Program.run(arguments)
    #expect(broken.status == 3)
    #expect(broken.error.contains("3 jobs are quarantined: `pairloom quarantine \(run) list`"))
    let status = try Program.run(["status", run]).output
    #expect(status.contains("quarantined: 3 jobs, 1 for errors of their own"), "\(status)")

    let list = try Program.run(["quarantine", run, "list"])
    #expect(list.status == 0)
    #expect(
      list.lines[0].hasPrefix("decode 1: 20 rows of the list, 20 to 39, 1 failure, given up 20"))
    #expect(list.lines[1].contains("decoded/00001.parquet"))
    #expect(list.lines[2] == "    for want of it: deduplicate 1, shard 1")
    #expect(list.lines[3] == "1 given up for its own error, 2 for want of it")
    let objects = try JSONValue.parse(
      Array(try Program.run(["quarantine", run, "list", "--json"]).output.utf8))
    guard case .array(let jobs) = objects else {
      Issue.record("no array: \(objects)")
      return
    }
    #expect(jobs.map { $0["job"]?.text } == ["decode 1", "deduplicate 1", "shard 1"])
    #expect(jobs[0]["first_row"]?.integer == 20 && jobs[0]["last_row"]?.integer == 39)

    for words in [["decode", "1"], ["decode 1"], ["1"]] {
      let shown = try Program.run(["quarantine", run, "show"] + words)
      #expect(shown.status == 0, "\(shown.error)")
      for part in [
        "decode 1: given up 20", "failed  ", "process ", "fetched/00001.1.bytes",
        "given up for want of it: deduplicate 1, shard 1", "what to do:",
        "`pairloom quarantine \(run) release decode 1 --run`",
      ] { #expect(shown.output.contains(part), "\(part) in \(shown.output)") }
    }
    #expect(
      try Program.run(["quarantine", run, "show", "deduplicate", "1"]).output
        .contains("for want of: decode 1"))

    let litter = try Program.run(["gc", run])
    #expect(litter.status == 0)
    #expect(litter.output.contains("left, but for --quarantined"), "\(litter.output)")
    try FileManager.default.removeItem(atPath: run + "/decoded/00001.parquet")
    let released = try Program.run(["quarantine", run, "release", "decode", "1"])
    #expect(
      released.lines == [
        "handed back: decode 1, deduplicate 1, shard 1", "done again with it: filter 0",
        "go on with the `pairloom run` command that began it, or `pairloom verify \(run) --repair`",
      ], "\(released.error)")
    #expect(try Program.run(["quarantine", run, "list"]).lines == ["nothing is quarantined"])
    let resumed = try Program.run(arguments)
    #expect(resumed.status == 0, "\(resumed.error)")
    #expect(try Program.run(["gc", run]).output.contains("nothing to remove"))
    #expect(try Program.run(["verify", run]).status == 0)

    // The same list in another folder, undisturbed.
    let whole = folder.path + "/whole"
    let again = try Program.run(arguments.map { $0 == run ? whole : $0 })
    #expect(again.status == 0)
    let parts = ["shards", "dataset.json"]
    #expect(try contents(of: run, parts) == contents(of: whole, parts))
    withExtendedLifetime(web) {}
  }

  @Test(
    "release --run works off what it has handed back; without a cause mended it is given up again")
  func runs() throws {
    let folder = try TemporaryFolder()
    let (run, arguments, web) = try Self.run(in: folder)
    #expect(try Program.run(arguments).status == 3)
    #expect(try Program.run(["quarantine", run, "release", "--all", "--run"]).status == 3)
    try FileManager.default.removeItem(atPath: run + "/decoded/00001.parquet")
    let done = try Program.run(["quarantine", run, "release", "--all", "--run"])
    #expect(done.status == 0, "\(done.error)")
    #expect(done.lines.last == run + "/dataset.json")
    #expect(try Program.run(["status", run, "--json"]).output.contains(#""quarantined":[]"#))
    withExtendedLifetime(web) {}
  }

  @Test(
    "a wrong question ends with 2 and says what to do",
    arguments: [
      (["list", "decode"], "takes no jobs"), (["show"], "show decode 12"),
      (["release"], "--all"), (["show", "decoder", "1"], "'decoder' is no job"),
      (["show", "decode"], "chunk of decode"), (["show", "decode", "0"], "is not quarantined"),
      (["release", "7"], "nothing of chunk 7"), (["look"], "look"),
    ])
  func usage(arguments: [String], words: String) throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try RetryCommandTests.Web()
    #expect(try Program.run(RetryCommandTests.run(web.list(4, in: folder.path), run)).status == 0)
    let result = try Program.run(["quarantine", run] + arguments)
    #expect(result.status == 2, "\(result.error)")
    #expect(result.error.contains(words), "\(result.error)")
    #expect(try Program.run(["quarantine", folder.path, "list"]).error.contains("no run here"))
  }
}
