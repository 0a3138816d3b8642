import Foundation
import PipelineCore
import Testing

/// What a user meets beside the main way: wrong usage, signals, and the smaller commands.
@Suite(.serialized) struct CommandTests {
  @Test(
    "wrong usage ends with 2 and says what to do",
    arguments: [
      (["run", "urls", "--folder", "x"], "input"),
      (["run", "nonsense", "--folder", "x"], "Bundled in Pipelines"),
      (["run", "urls", "--folder", "x", "--set", "inputt=y"], "inputt"),
      (["run", "urls", "--folder", "x", "--set", "input=/does/not/exist.csv"], "exist.csv"),
      (["train", "small", "--folder", "x", "--set", "bach=3"], "bach"),
      (["status", "/does/not/exist"], "no run here"),
      (["status", "x", "--watch", "--interval", "0"], "--interval"),
      (["statsu", "x"], "unknown command 'statsu'; did you mean 'status'?"),
      (["frobnicate"], "unknown command 'frobnicate'. `pairloom --help`"),
    ])
  func usage(arguments: [String], word: String) throws {
    let result = try Program.run(arguments)
    #expect(result.status == 2, "\(result.error)")
    #expect(result.error.contains(word), "\(result.error)")
  }

  @Test("the bundled scorer refuses captions of other things, unless forced")
  func refusal() throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/list.csv"
    try Data("url,caption\nhttp://127.0.0.1:1/a.jpg,a photograph of a dog\n".utf8)
      .write(to: URL(fileURLWithPath: list))
    let arguments = ["run", "scenes", "--folder", folder.path + "/run", "--set", "input=\(list)"]
    let refused = try Program.run(arguments)
    #expect(refused.status == 2)
    #expect(refused.error.contains("--force-scorer"))
    let forced = try Program.run(arguments + ["--force-scorer", "--set", "download.attempts=1"])
    #expect(forced.status == 0, "\(forced.error)")
  }

  @Test("a run that is asked to stop hands its work back, ends with 143, and resumes")
  func stops() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 400, seed: 9, folder: folder.path)
    let arguments = [
      "run", "scenes", "--folder", folder.path + "/run", "--set", "input=\(origin.list)",
      "--set", "chunk_rows=20",
    ]
    let ledger = folder.path + "/run/shards/00001.parquet"
    let status = try Program.runAndSignal(arguments, SIGTERM) {
      FileManager.default.fileExists(atPath: ledger)
    }
    #expect(status == 143)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/dataset.json"))
    try Self.watch(folder.path + "/run")
    let resumed = try Program.run(arguments)
    #expect(resumed.status == 0, "\(resumed.error)")
    let state = try Program.run(["status", folder.path + "/run", "--json"])
    #expect(state.output.contains("\"isFinished\":true"))
  }

  /// On a pipe a watch gives a line at each look, and Ctrl-C leaves it in order.
  private static func watch(_ run: String) throws {
    let process = Program.make(["status", run, "--watch", "--interval", "0.1"], environment: [:])
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var text = ""
    while text.count(where: { $0 == "\n" }) < 3 {
      let piece = output.fileHandleForReading.availableData
      guard !piece.isEmpty else { break }  // it has ended
      text += String(decoding: piece, as: UTF8.self)
    }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let lines = text.split(separator: "\n")
    #expect(lines.count >= 3 && lines.allSatisfy { $0.hasPrefix("rows ") }, "\(text)")
  }

  @Test("score and evaluate work on a run's shards")
  func evaluates() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 200, seed: 10, folder: folder.path)
    let run = folder.path + "/run"
    let woven = try Program.run([
      "run", "scenes", "--folder", run, "--set", "input=\(origin.list)", "--set", "chunk_rows=100",
    ])
    #expect(woven.status == 0, "\(woven.error)")
    let scores = folder.path + "/scores.parquet"
    let scored = try Program.run([
      "score", run + "/shards/00000.tar.lz4", "--model", "scenes", "--out", scores,
    ])
    #expect(scored.status == 0, "\(scored.error)")
    let own = try PairTable.read(run + "/scores/scenes/00000.parquet")
    #expect(try PairTable.read(scores) == own)
    #expect(!own.isEmpty)
    let model = run + "/models/scenes"
    let retrieval = try Program.run([
      "evaluate", "retrieval", "--model", model, "--data", run + "/dataset.json", "--json",
    ])
    #expect(retrieval.status == 0, "\(retrieval.error)")
    struct Figures: Decodable {
      struct Direction: Decodable { var r_at_10: Double }
      var text_to_image: Direction
    }
    let figures = try JSONDecoder().decode(Figures.self, from: Data(retrieval.output.utf8))
    // Ten of about 160 pictures; the scorer knows scenes, and some captions fit several.
    #expect(figures.text_to_image.r_at_10 > 0.5)
    let classes = folder.path + "/classes.txt"
    let captions = try Set(
      String(contentsOfFile: folder.path + "/truth.jsonl", encoding: .utf8)
        .split(separator: "\n").map { line in
          struct Row: Decodable { var caption: String }
          return try JSONDecoder().decode(Row.self, from: Data(line.utf8)).caption
        })
    try captions.sorted().joined(separator: "\n")
      .write(toFile: classes, atomically: true, encoding: .utf8)
    let zeroShot = try Program.run([
      "evaluate", "zeroshot", "--model", model, "--data", run + "/dataset.json", "--classes",
      classes,
    ])
    #expect(zeroShot.status == 0, "\(zeroShot.error)")
    #expect(zeroShot.output.contains("top-1"))
  }

  @Test("the demo runs from end to end and its last line holds its figures")
  func demo() throws {
    struct Figures: Decodable {
      var rows, kept: Int
      var auc, zeroshot_top1, seconds: Double
    }
    let folder = try TemporaryFolder()
    let result = try Program.run([
      "demo", "--folder", folder.path, "--rows", "600", "--set", "steps=60", "--set",
      "optimizer.warmup_steps=10",
    ])
    #expect(result.status == 0, "\(result.error)")
    let figures = try JSONDecoder().decode(
      Figures.self, from: Data(#require(result.lines.last).utf8))
    #expect(figures.rows == 600)
    // 85 % of 552 pairs, rounded up.
    #expect(figures.kept == 470)
    #expect(figures.auc >= 0.97)
    // Sixty steps teach little, yet far more than the 0.5 % of chance.
    #expect(figures.zeroshot_top1 > 0.02)
    #expect(result.output.contains("not as the world meant it          0"))
    let report = try String(contentsOfFile: folder.path + "/report.html", encoding: .utf8)
    #expect(report.contains("low_score"))
  }
}
