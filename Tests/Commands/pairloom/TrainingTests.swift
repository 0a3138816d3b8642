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
        training(out, data, ["steps=20", "ranks=\(ranks)", "global_batch=64", "log_every=1"]))
      #expect(result.status == 0, "\(result.error)")
      return try self.losses(out)
    }
    #expect(losses[0].count == 20)
    #expect(losses[1].count == 20)
    for (one, two) in zip(losses[0], losses[1]) { #expect(abs(one - two) < 1e-4) }
    // Losses that do not move would agree as well.
    #expect(try #require(losses[0].first) - #require(losses[0].last) > 0.1)
  }

  @Test("a training run killed at random steps ends with the parameters of one that was not")
  func resumes() throws {
    let folder = try TemporaryFolder()
    let data = try weave(folder.path)
    let settings = ["steps=60", "ranks=2", "global_batch=64", "checkpoint_every=7"]
    let whole = folder.path + "/whole"
    let first = try Program.run(training(whole, data, settings))
    #expect(first.status == 0, "\(first.error)")
    let killed = folder.path + "/killed"
    var kills = 0
    for _ in 0..<4 {
      guard try Program.runAndKill(training(killed, data, settings), after: .random(in: 1...4))
      else { break }
      kills += 1
    }
    let last = try Program.run(training(killed, data, settings))
    #expect(last.status == 0, "\(last.error)")
    #expect(kills > 0)
    let weights = try [whole, killed].map {
      try Data(contentsOf: URL(fileURLWithPath: $0 + "/model.safetensors"))
    }
    #expect(weights[0] == weights[1])
  }

  private func weave(_ folder: String) throws -> String {
    let origin = try DemoOrigin(rows: 400, seed: 6, folder: folder)
    let run = folder + "/run"
    let result = try Program.run([
      "run", "scenes", "--folder", run, "--set", "input=\(origin.list)", "--set", "model=",
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
