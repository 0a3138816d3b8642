import Foundation
import SeededRandom
import Testing

/// `pairloom train` under kill -9 at random moments: what it ends with is what an undisturbed run ends with.
@Suite(.serialized) struct TrainingKillTests {
  private static let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil

  /// A run, and how often it is killed in a short test.
  struct Case: Sendable, CustomStringConvertible {
    var tower: SmallTraining.Tower
    var kills: Int
    var settings: [String]
    var description: String { "\(tower) \(settings.joined(separator: " "))" }
  }

  static let cases = [
    // A checkpoint at each step: one is being written at most moments.
    Case(tower: .transformer, kills: 14, settings: ["checkpoint_every=1"]),
    Case(
      tower: .transformer, kills: 13,
      settings: [
        "ranks=2", "checkpoints={every_steps: 7, keep: 1}", "ema_decay=0.9", "patch_dropout=0.5",
        "accumulate=2",
      ]),
    Case(
      tower: .resNet, kills: 13,
      settings: [
        "checkpoint_every=5", "image_cache_mb=0", "ema_decay=0.99",
        "optimizer.schedule=constant_cooldown", "optimizer.cooldown_steps=9",
      ]),
    // Moments by the clock, which no two runs have in common.
    Case(
      tower: .resNet, kills: 10,
      settings: ["ranks=2", "checkpoints={every_minutes: 0.001}", "check_ranks_every=3"]),
  ]

  @Test(
    "a run that is killed at random moments ends with the bytes of one that is not",
    arguments: cases)
  func killed(run: Case) throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let calm = folder.path + "/calm"
    let start = Date.now
    let whole = try Program.run(try training.command(run.tower, out: calm, run.settings))
    let duration = Date.now.timeIntervalSince(start)
    #expect(whole.status == 0, "\(whole.error)")
    let expected = try SmallTraining.Result(calm)

    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    let wanted = run.kills * (Self.isLong ? 10 : 1)
    var (kills, rounds, whileWriting, ranksKilled) = (0, 0, 0, 0)
    while kills < wanted {
      let out = folder.path + "/killed\(rounds)"
      let command = try training.command(run.tower, out: out, run.settings)
      var isEnded = false
      while !isEnded {
        let program = try RunningProgram(command, in: folder.path)
        // Once there were enough kills, the run is left in peace.
        let moment = kills < wanted ? random.uniform() * duration : 60
        if let end = try program.end(within: moment) {
          #expect(end.status == 0, "\(end.error), seed \(seed)")
          isEnded = true
          break
        }
        // Of several processes the launcher, or one rank.
        let ranks = try program.ranks().values.sorted()
        if !ranks.isEmpty, random.uniform() < 0.5 {
          kill(ranks[Int(random.uniform() * Double(ranks.count))], SIGKILL)
          ranksKilled += 1
        } else {
          program.send(SIGKILL)
        }
        try #require(try program.end(within: 30) != nil, "it does not end, seed \(seed)")
        kills += 1
        if try !SmallTraining.temporaries(out).isEmpty { whileWriting += 1 }
      }
      let differences = try SmallTraining.Result(out).differences(from: expected)
      #expect(differences == [], "after \(kills) kills, seed \(seed)")
      #expect(try SmallTraining.temporaries(out) == [])
      rounds += 1
    }
    print(
      "training kills: \(run): \(kills) kills (\(ranksKilled) of a rank, \(whileWriting) while a "
        + "checkpoint was written), \(rounds) runs of \(Int(duration * 1_000)) ms, seed \(seed)")
  }

  @Test("another number of ranks goes on, and says that rounding differs")
  func otherRanks() throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let out = folder.path + "/out"
    func command(_ ranks: Int) throws -> [String] {
      try training.command(.transformer, out: out, ["checkpoint_every=1", "ranks=\(ranks)"])
    }
    let first = try RunningProgram(try command(1), in: folder.path)
    #expect(try first.wait { try !SmallTraining.checkpoints(out).isEmpty })
    first.send(SIGKILL)
    _ = try first.end(within: 30)
    let second = try Program.run(try command(2))
    #expect(second.status == 0, "\(second.error)")
    #expect(second.error.contains("was computed by 1 ranks, now there are 2"), "\(second.error)")
    #expect(try SmallTraining.checkpoints(out).last == "step-00000040.safetensors")
  }
}
