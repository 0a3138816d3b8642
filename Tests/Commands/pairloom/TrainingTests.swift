import Foundation
import Testing

/// The trainer as processes: ranks agree, and a killed run resumes to the bit.
@Suite(.serialized) struct TrainingTests {
  @Test("2 ranks of 32 give the losses of 1 rank of 64 for 20 steps to 1e-4")
  func ranks() throws {
    let folder = try TemporaryFolder()
    let data = try weave(folder.path)
    let losses = try [1, 2].map { ranks in
      let out = folder.path + "/ranks\(ranks)"
      let result = try Program.run(
        training(
          out, data,
          [
            "steps=20", "ranks=\(ranks)", "global_batch=64", "log_every=1",
            "optimizer.warmup_steps=10",
          ]))
      #expect(result.status == 0, "\(result.error)")
      return try self.losses(out)
    }
    #expect(losses[0].count == 20)
    #expect(losses[1].count == 20)
    for (one, two) in zip(losses[0], losses[1]) { #expect(abs(one - two) < 1e-4) }
    // Losses that do not move would agree as well.
    #expect(try #require(losses[0].first) - #require(losses[0].last) > 0.1)
  }

  @Test("a training run whose launcher is killed ends with the parameters of one that was not")
  func resumes() throws {
    let folder = try TemporaryFolder()
    let data = try weave(folder.path)
    let whole = try finished(folder.path + "/whole", data)
    let out = folder.path + "/killed"
    var kills = 0
    for _ in 0..<3 {
      let before = try checkpoints(out).last
      let run = try RunningProgram(training(out, data, Self.settings), in: folder.path)
      guard try run.wait(until: { try checkpoints(out).last != before }) else { break }
      run.send(SIGKILL)
      #expect(try run.end(within: 30) != nil)
      #expect(try !checkpoints(out).isEmpty)
      kills += 1
    }
    #expect(kills > 0)
    #expect(try finished(out, data) == whole)
  }

  @Test("a killed rank ends the run with its number, and the next run goes on from the checkpoint")
  func lostRank() throws {
    let folder = try TemporaryFolder()
    let data = try weave(folder.path)
    let whole = try finished(folder.path + "/whole", data)
    let out = folder.path + "/killed"
    let run = try RunningProgram(training(out, data, Self.settings), in: folder.path)
    #expect(try run.wait { try !checkpoints(out).isEmpty })
    kill(try #require(try run.ranks()[1]), SIGKILL)
    let end = try #require(try run.end(within: 30))
    #expect(end.status == 128 + SIGKILL)
    #expect(end.error.contains("rank 1 was killed by signal 9"), "\(end.error)")
    let again = try Program.run(training(out, data, Self.settings))
    #expect(again.status == 0, "\(again.error)")
    #expect(again.error.contains("resuming from step "), "\(again.error)")
    #expect(try weights(out) == whole)
  }

  @Test("signals to launcher and ranks at once stop the run with a checkpoint of its last step")
  func signalled() throws {
    let folder = try TemporaryFolder()
    let data = try weave(folder.path)
    let whole = try finished(folder.path + "/whole", data)
    let out = folder.path + "/stopped"
    // Without checkpoint_every: the only one is that of the stop.
    let settings = Self.settings.filter { !$0.hasPrefix("checkpoint_every") } + ["log_every=1"]
    let run = try RunningProgram(training(out, data, settings), in: folder.path)
    #expect(try run.wait { FileManager.default.fileExists(atPath: out + "/metrics.jsonl") })
    // As `kill -TERM -GROUP` does; the launcher then sends the ranks another.
    for rank in try run.ranks().values { kill(rank, SIGTERM) }
    run.send(SIGTERM)
    let end = try #require(try run.end(within: 30))
    #expect(end.status == 128 + SIGTERM)
    #expect(end.error.contains("interrupted; "), "\(end.error)")
    #expect(try checkpoints(out).count == 1)
    #expect(try losses(out).count < 60)
    #expect(try finished(out, data) == whole)
  }

  private static let settings = [
    "steps=60", "ranks=2", "global_batch=64", "checkpoint_every=7", "optimizer.warmup_steps=10",
  ]

  /// Trains to the end and gives the weights.
  private func finished(_ out: String, _ data: String) throws -> Data {
    let result = try Program.run(training(out, data, Self.settings))
    #expect(result.status == 0, "\(result.error)")
    return try weights(out)
  }

  private func weights(_ out: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: out + "/model.safetensors"))
  }

  /// Names of the checkpoints of a run, oldest first.
  private func checkpoints(_ out: String) throws -> [String] {
    let folder = out + "/checkpoints"
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".safetensors") }.sorted()
  }

  private func weave(_ folder: String) throws -> String {
    let origin = try DemoOrigin(rows: 400, seed: 6, folder: folder)
    let run = folder + "/run"
    let result = try Program.run([
      "run", "scenes", "--folder", run, "--set", "input=\(origin.list)",
    ])
    #expect(result.status == 0, "\(result.error)")
    return run + "/dataset.json"
  }

  private func training(_ out: String, _ data: String, _ settings: [String]) -> [String] {
    ["train", "scenes", "--folder", out]
      + (["data=\(data)"] + settings).flatMap { ["--set", $0] }
  }

  private func losses(_ out: String) throws -> [Double] {
    struct Line: Decodable { var loss: Double? }
    let text = try String(contentsOfFile: out + "/metrics.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").compactMap {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).loss
    }
  }
}
