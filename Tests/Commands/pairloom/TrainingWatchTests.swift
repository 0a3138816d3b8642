import Foundation
import TestTools
import Testing
import TrainingLedger

/// A training run as its ledger, TensorBoard and `explain` know it, by the program itself.
@Suite(.serialized) struct TrainingWatchTests {
  private struct Setting {
    let folder: TemporaryFolder
    let run: String
    let out: String

    init() throws {
      folder = try TemporaryFolder()
      let origin = try DemoOrigin(rows: 200, seed: 8, folder: folder.path)
      run = folder.path + "/run"
      out = folder.path + "/out"
      let result = try Program.run([
        "run", "scenes", "--folder", run, "--set", "input=\(origin.list)",
      ])
      #expect(result.status == 0, "\(result.error)")
    }

    func training(_ settings: [String]) -> [String] {
      ["train", "scenes", "--folder", out]
        + ([
          "data=\(run)/dataset.json", "ranks=1", "threads=1", "global_batch=32", "log_every=1",
          "optimizer.warmup_steps=2", "checkpoint_every=4", "evaluation.every_steps=5",
          "evaluation.retrieval={data: \(run)/dataset.json, limit: 20}",
        ] + settings).flatMap { ["--set", $0] }
    }

    /// The keys of its pairs.
    func keys() throws -> [String] {
      try Program.run(["ls", run + "/filtered/00000.tar.lz4"]).lines
        .compactMap { $0.split(separator: " ").first.map(String.init) }
        .filter { $0.count == 32 }
    }

    /// The steps that saw a pair, as `explain` tells them.
    func steps(_ key: String) throws -> [Int] {
      let story = try Program.run(["explain", run, key, "--json"]).output
      let found = try #require(story.firstMatch(of: /"steps":\[([0-9,]*)\]/))
      return found.1.split(separator: ",").compactMap { Int($0) }
    }

    func ledger() throws -> TrainingLedger {
      try #require(try TrainingLedger.open(folder: out, making: false))
    }
  }

  @Test(
    "a whole run: attempts, checkpoints with their hashes, report, TensorBoard, status and explain")
  func whole() async throws {
    let setting = try Setting()
    let result = try Program.run(setting.training(["steps=14"]))
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error.contains("step 5/14  evaluated: retrieval/auc "), "\(result.error)")
    let attempt = try #require(try setting.ledger().attempts().first)
    #expect(attempt.outcome == .done && attempt.fromStep == 0 && attempt.toStep == 14)
    #expect(attempt.facts["dataset_sha256"]?.count == 64)
    let kept = try setting.ledger().checkpoints().filter { $0.removedAt == nil }
    #expect(kept.last?.step == 14)
    for checkpoint in kept {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(setting.out)/\(checkpoint.file)"))
      #expect(bytes.count == checkpoint.bytes)
    }
    let page = try String(contentsOfFile: setting.out + "/report.html", encoding: .utf8)
    #expect(page.contains("retrieval/image"))

    let status = try Program.run(["status", setting.out, "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any])
    #expect(object["step"] as? Int == 14 && object["evaluatedAt"] as? Int == 14)
    #expect(try Program.run(["status", setting.out]).output.contains("  1  "))

    // A pair of the data set: which steps saw it.
    let key = try #require(try setting.keys().first)
    let story = try Program.run(["explain", setting.run, key, "--json"])
    #expect(story.status == 0, "\(story.error)")
    #expect(story.output.contains("\"training\":[{"), "\(story.output)")
    let words = try Program.run(["explain", setting.run, key, "--train", setting.out]).output
    #expect(words.contains("done, 14 steps: seen "), "\(words)")
    #expect(words.contains("step-00000014.safetensors  step 14: "))
    // A pair that could not be had from step 5 on, and the one in its place.
    let other = try setting.keys()[1]
    let (mine, its) = (try setting.steps(key), try setting.steps(other))
    try Data(
      """
      {"key":"\(key)","source":"any","stand_in":"\(other)","step":5,"why":"no picture"}

      """.utf8
    ).write(to: URL(fileURLWithPath: setting.out + "/replaced.jsonl"))
    #expect(try setting.steps(key) == mine.filter { $0 < 5 })
    #expect(try setting.steps(other) == (its + mine.filter { $0 >= 5 }).sorted())
    try FileManager.default.removeItem(atPath: setting.out + "/replaced.jsonl")

    // A command that is refused takes nothing away of what was known.
    let refused = try Program.run(setting.training(["steps=14", "seed=7"]))
    #expect(refused.status == 2, "\(refused.error)")
    let after = try Program.run(["explain", setting.run, key, "--train", setting.out]).output
    #expect(
      after.replacing("failed, 14 steps", with: "done, 14 steps") == words, "\(after)")
    let newPage = try String(contentsOfFile: setting.out + "/report.html", encoding: .utf8)
    #expect(newPage.contains("retrieval/image"))
    let wrong = try Program.run(["explain", setting.run, key, "--train", setting.run])
    #expect(wrong.status != 0 && wrong.error.contains("is no folder of `pairloom train`"))
    // The list of runs is one of the run's own files.
    #expect(!(try Program.run(["verify", setting.run])).output.contains("trained.jsonl"))
  }

  @Test(
    "kill -9 leaves an attempt that the next marks as killed; a second process is refused meanwhile"
  )
  func killed() throws {
    let setting = try Setting()
    let arguments = setting.training(["steps=100000"])
    let run = try RunningProgram(arguments, in: setting.folder.path)
    #expect(
      try run.wait {
        try TrainingLedger.open(folder: setting.out, making: false)?.checkpoints().isEmpty == false
      })
    let second = try Program.run(arguments)
    #expect(second.status == 1 && second.error.contains("trains in this folder"), "\(second.error)")
    // Of two ranks the launcher says so, before it starts any.
    let ranks = try Program.run(arguments + ["--set", "ranks=2"])
    #expect(ranks.status == 1 && ranks.error.contains("trains in this folder"), "\(ranks.error)")
    run.send(SIGKILL)
    #expect(try run.end(within: 30) != nil)
    #expect(try Program.run(["status", setting.out]).output.contains("killed"))
    let logged = try String(contentsOfFile: setting.out + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").count { $0.hasSuffix("}") && !$0.contains("\"evaluation\":{") }
    let key = try #require(try setting.keys().first)
    let story = try Program.run(["explain", setting.run, key]).output
    #expect(story.contains("killed, \(logged) steps: seen "), "\(story)")
    let again = try RunningProgram(arguments, in: setting.folder.path)
    #expect(
      try again.wait {
        let attempts = try setting.ledger().attempts()
        return attempts.count == 2 && attempts[1].fromStep != nil
      })
    again.send(SIGTERM)
    let end = try #require(try again.end(within: 60))
    #expect(end.status == 128 + SIGTERM, "\(end.error)")
    let attempts = try setting.ledger().attempts()
    try #require(attempts.map(\.outcome) == [.killed, .stopped])
    let (from, before) = (try #require(attempts[1].fromStep), try #require(attempts[0].toStep))
    #expect(from > 0 && from % 4 == 0 && before >= from)
  }

  @Test("TensorBoard sees a resumed run's steps once, as the log has them")
  func resumed() async throws {
    let setting = try Setting()
    let run = try RunningProgram(setting.training(["steps=30"]), in: setting.folder.path)
    #expect(
      try run.wait {
        try TrainingLedger.open(folder: setting.out, making: false)?.checkpoints().isEmpty == false
      })
    run.send(SIGKILL)
    #expect(try run.end(within: 30) != nil)
    #expect(try Program.run(setting.training(["steps=30"]) + ["--quiet"]).error.isEmpty)
    struct Line: Decodable {
      var step: Int
      var loss: Float
      var evaluation: [String: Double]?
    }
    let log = try String(contentsOfFile: setting.out + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    guard let python = PeerPython.path else { return }
    let output = try await ChildProgram.run(
      python,
      [
        "-B", ProjectFolder.root + "/Tests/Support/Peers/event_files.py",
        setting.out + "/tensorboard",
      ])
    let found = try JSONDecoder().decode([String: [[Double]]].self, from: Data(output.bytes))
    let steps = log.filter { $0.evaluation == nil }
    #expect(steps.map(\.step) == Array(1...30))
    #expect(found["train/loss"] == steps.map { [Double($0.step), Double($0.loss)] })
    #expect(found["eval/retrieval/auc"]?.map { $0[0] } == [5, 10, 15, 20, 25, 30])
  }

  @Test("a failed run says why; a data set that may not be written is trained on all the same")
  func failed() throws {
    let setting = try Setting()
    let result = try Program.run(
      setting.training(["steps=3", "evaluation.retrieval.data=/nowhere/dataset.json"]))
    #expect(result.status == 2 && result.error.contains("nowhere"), "\(result.error)")
    let attempt = try #require(try setting.ledger().attempts().first)
    #expect(attempt.outcome == .failed && attempt.error?.contains("nowhere") == true)
    // root may write anywhere: a folder in the list's place cannot be replaced by a file.
    try FileManager.default.removeItem(atPath: setting.run + "/trained.jsonl")
    try FileManager.default.createDirectory(
      atPath: setting.run + "/trained.jsonl/x", withIntermediateDirectories: true)
    let again = try Program.run(setting.training(["steps=3"]))
    #expect(again.status == 0, "\(again.error)")
    #expect(again.error.contains("does not know of this run"), "\(again.error)")
  }
}
