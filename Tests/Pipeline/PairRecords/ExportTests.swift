import DurableFiles
import Foundation
import JobLedger
import PairDataset
import PairRecords
import ParquetFile
import PipelineCore
import TableQuery
import TestTools
import Testing
import URLPipeline

@Suite(.serialized) struct ExportTests {
  /// The rows of an export, by column.
  static func read(_ path: String) throws -> [[String: ParquetValue]] {
    var rows: [[String: ParquetValue]] = []
    let batches = try ParquetReader(path: path).batches(rowsPerBatch: 7)
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        rows.append(
          Dictionary(
            uniqueKeysWithValues: batch.columns.enumerated().map {
              ($1.name, batch.values[$0][row])
            }
          ))
      }
    }
    return rows
  }

  static func export(
    _ web: StoryWeb, _ name: String, columns: [String]? = nil, where expression: String? = nil,
    threads: Int = 2
  ) async throws -> (rows: [[String: ParquetValue]], outcome: PairExport.Outcome) {
    let export = try PairExport(try await RunRecords(web.path(name)), threads: threads)
    let query = try expression.map { try TableQuery(columns: export.columns.all, where: $0) }
    let path = "\(web.folder)/\(name).parquet"
    let outcome = try await export.write(
      to: path, columns: try export.places(of: columns), where: query)
    return (try read(path), outcome)
  }

  @Test("each row of the list once, in order, with the fate that status counts")
  func balance() async throws {
    let web = try StoryWeb()
    try await web.run("run", StoryTests.filter, scorer: ToyScorer())
    for isHealed in [false, true] {
      if isHealed {
        web.heal()
        _ = try await web.retry("run", scorer: ToyScorer())
      }
      let status = try await PipelineRun.status(folder: web.path("run"))
      let (rows, outcome) = try await Self.export(web, "run")
      #expect(rows.map { $0["row"] } == (0..<30).map { .int($0) })
      #expect(outcome.rows == 30)
      #expect(outcome.fates[.kept] == status.pairs("kept"))
      #expect(outcome.fates[.rejected] == status.rejected)
      #expect(outcome.fates.values.reduce(0, +) == status.pairs("rows"))
      var reasons: [String: Int] = [:]
      for row in rows where row["fate"] == .text("dropped") {
        if case .text(let reason) = row["reason"] { reasons[reason, default: 0] += 1 }
      }
      #expect(reasons == status.failures)
      #expect(rows.filter { $0["kept"] == .bool(true) }.count == status.pairs("kept"))
      #expect(rows[11]["generation"] == .int(isHealed ? 1 : 0))
      #expect(rows[11]["chunk"] == .int(isHealed ? 3 : 1))
      #expect(rows[11]["class"] == (isHealed ? .null : .text("transient")))
    }
  }

  @Test("a row holds what the tables of all stages say of it, the list's own columns typed")
  func cells() async throws {
    let web = try StoryWeb()
    try await web.run("run", StoryTests.filter, scorer: ToyScorer())
    let root = web.path("run")
    let rows = try await Self.export(web, "run").rows
    #expect(rows[7]["caption"] == .text("caption 7"))
    #expect(rows[7]["number"] == .int(7))
    #expect(rows[7]["share"] == .double(7.5))
    #expect(rows[7]["is_odd"] == .bool(true))
    #expect(rows[7]["list_chunk"] == .text("c7"))
    #expect(rows[7]["chunk"] == .int(0))
    #expect(rows[7]["tags"] == .text(#"["a",7]"#))
    #expect(rows[7]["score_toy_1"] == .float(0.07))
    #expect(rows[3]["reason"] == .text("low_score"))
    #expect(rows[3]["stage"] == .text("filter"))
    #expect(rows[3]["kept"] == .bool(false))
    #expect(rows[3]["shard"] == .text("shards/00000.tar.lz4"))
    #expect(rows[3]["final_shard"] == .null)
    #expect(rows[12]["of"] == .int(5))
    #expect(rows[13]["of"] == .int(5))
    #expect(rows[14]["policy_rule"] == .text("x_robots_tag"))
    #expect(rows[16]["fate"] == .text("rejected"))
    #expect(rows[16]["url"] == .null)
    #expect(rows[20]["final_url"] == .text(web.server.url("/ok/20")))
    #expect(rows[20]["original_width"] == .int(24))
    #expect(rows[20]["width"] == .int(16))
    for row in rows {
      guard case .text(let file) = row["final_shard"],
        case .int(let number) = row["number_in_final"],
        case .text(let key) = row["key"], case .text(let caption) = row["caption"]
      else { continue }
      let pair = try ShardReader(path: "\(root)/\(file)").pair(at: Int(number))
      #expect(pair.key == key)
      #expect(pair.caption == caption)
    }
  }

  @Test("an expression chooses rows, names choose columns, and the threads change nothing")
  func choice() async throws {
    let web = try StoryWeb()
    try await web.run("run", StoryTests.filter, scorer: ToyScorer())
    let some = try await Self.export(
      web, "run", columns: ["key", "row"], where: "kept AND number >= 25 AND score_toy_1 < 0.28")
    #expect(some.rows.map { $0["row"] } == [.int(25), .int(26), .int(27)])
    #expect(some.rows.allSatisfy { $0.count == 2 })
    #expect(some.outcome.fates.values.reduce(0, +) == 30)
    let path = "\(web.folder)/run.parquet"
    var files: [[UInt8]] = []
    for threads in [1, 3] {
      _ = try await Self.export(web, "run", threads: threads)
      files.append(try DurableFile.read(path))
    }
    #expect(files[0] == files[1])
    let export = try PairExport(try await RunRecords(web.path("run")))
    #expect(throws: ExportError.self) { try export.places(of: ["capton"]) }
    #expect(throws: ExportError.self) { try export.places(of: ["row", "row"]) }
    do {
      _ = try export.places(of: ["capton"])
    } catch {
      #expect("\(error)".contains("did you mean caption?"))
    }
  }

  @Test("an unfinished run is exported as far as it came, a chunk that was given up as such")
  func unfinished() async throws {
    let web = try StoryWeb()
    try await web.run("run")
    let ledger = try SQLiteLedger(path: RunFolder(web.path("run")).ledger)
    _ = try await ledger.reopen(
      ["decode", "deduplicate", "shard"].map { JobName(stage: $0, chunk: 2) }
        + [JobName(stage: "filter", chunk: 0)])
    let (rows, outcome) = try await Self.export(web, "run")
    #expect(rows.count == 30)
    // Rows 12 to 17, 10, 11 and 19 were dropped, row 16 rejected.
    #expect(outcome.fates == [.pending: 21, .dropped: 8, .rejected: 1])
    #expect(rows[25]["stage"] == .text("decode"))
    #expect(rows[25]["kept"] == .null)
    #expect(rows[7]["stage"] == .text("filter"))
  }

  @Test("what img2dataset's layout has no row numbers for is joined as well")
  func img2dataset() async throws {
    let web = try StoryWeb()
    try await web.run("run", ["layout=img2dataset"])
    let (rows, outcome) = try await Self.export(web, "run")
    #expect(outcome.fates[.kept] == 21)
    #expect(rows[28]["key"] == .text("000028"))
    #expect(rows[28]["final_shard"] == .text("shards/00002.tar"))
  }

  @Test("pyarrow reads types and values", .peers("pyarrow"))
  func pyarrow() async throws {
    let web = try StoryWeb()
    try await web.run("run", StoryTests.filter, scorer: ToyScorer())
    _ = try await Self.export(web, "run")
    let script = """
      import sys, pyarrow.parquet as pq
      table = pq.read_table(sys.argv[1])
      kinds = {field.name: str(field.type) for field in table.schema}
      for name in ["row", "url", "number", "share", "is_odd", "kept", "started_at",
                   "seconds", "score_toy_1"]:
          print(name, kinds[name])
      rows = table.to_pylist()
      print(sum(r["kept"] is True for r in rows), sum(r["kept"] is False for r in rows), len(rows))
      print(rows[7]["started_at"].year >= 2024, rows[7]["is_odd"], rows[7]["share"], rows[7]["tags"])
      """
    let text = try await PeerPython.run(["-c", script, "\(web.folder)/run.parquet"]).text
    #expect(
      text == """
        row int64
        url string
        number int64
        share double
        is_odd bool
        kept bool
        started_at timestamp[ms, tz=UTC]
        seconds double
        score_toy_1 float
        16 14 30
        True True 7.5 ["a",7]

        """)
  }
}
