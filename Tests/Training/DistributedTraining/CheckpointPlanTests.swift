import Checkpointing
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import RankThreads
import Testing

/// When checkpoints are written, which are kept, and what a run may change when it goes on.
@Suite struct CheckpointPlanTests {
  let folder = NSTemporaryDirectory() + "plan-" + UUID().uuidString

  private func steps(_ folder: String) throws -> [Int] {
    try CheckpointStore(folder: folder + "/checkpoints").paths().map {
      try CheckpointStore.load($0).record.step
    }
  }

  private func metrics(_ folder: String) throws -> [StepMetrics] {
    try String(decoding: DurableFile.read(folder + "/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map {
        try JSONDecoder().decode(StepMetrics.self, from: Data($0.utf8))
      }
  }

  @Test(
    "checkpoints by time come at one step for all ranks and change no bit", arguments: [1, 2])
  func byTime(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let whole = try TrainerTests.train(folder + "/whole", world: world)
    let hashes = try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      let batches = Counting(globalBatch: 10)
      batches.onNext = { _ in usleep(5_000) }
      var options = TrainerTests.options(folder + "/timed", steps: 60)
      // 50 ms: ten steps or fewer.
      options.checkpoints = CheckpointOptions(everyMinutes: 0.05 / 60, keep: 100)
      _ = try Trainer(task: task, options: options, group: group).run(batches: batches)
      return task.hash
    }.map { try $0.get() }
    #expect(Set(hashes) == [whole[0].hash])
    let steps = try steps(folder + "/timed")
    #expect(steps.last == 60)
    // 300 ms at least in all; a slow machine only makes more of them.
    #expect(steps.count >= 4, "\(steps)")
  }

  @Test("the newest are kept, and the best beside them, through a resume", arguments: [1, 2])
  func best(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let quality = [10: 0.2, 20: 0.9, 30: 0.5, 40: 0.9, 50: 0.3, 60: 0.1]
    @Sendable func train(_ name: String, stopAt: Int?) throws -> [TrainingOutcome] {
      try Ranks.run(world) { group in
        var options = TrainerTests.options(folder + name, steps: 60, every: 15)
        options.logEvery = 15
        options.evaluateEvery = 10
        options.checkpoints.keep = 2
        options.checkpoints.best = .init(metric: "quality")
        let batches = Counting(globalBatch: 10)
        let stop = StopFlag()
        batches.onNext = { if $0 == stopAt { stop.raise() } }
        return try Trainer(task: LineTask(globalBatch: 10), options: options, group: group).run(
          batches: batches, stop: stop,
          evaluate: { step in
            // Other ranks' do not count.
            ["quality": group.rank == 0 ? quality[step] ?? .nan : 2]
          })
      }.map { try $0.get() }
    }
    let parts = try train("/parts", stopAt: 33)
    #expect(parts.allSatisfy { $0.wasStopped && $0.step == 34 })
    #expect(try steps(folder + "/parts") == [30, 34])
    _ = try train("/parts", stopAt: nil)
    _ = try train("/whole", stopAt: nil)
    for run in ["/parts", "/whole"] {
      // 10 and 20 were better than all before: they were saved beside 15, 30, 45 and 60.
      #expect(try steps(folder + run) == [45, 60])
      let best = try CheckpointStore.load(folder + run + "/checkpoints/best.safetensors")
      #expect(best.record.step == 20 && best.record.evaluation == ["quality": 0.9])
      let lines = try metrics(folder + run)
      #expect(lines.filter { $0.evaluation != nil }.map(\.step) == [10, 20, 30, 40, 50, 60])
      #expect(
        lines.compactMap { $0.evaluation?["quality"] }
          == quality.sorted { $0.key < $1.key }
          .map(\.value))
      #expect(lines.filter { $0.evaluation == nil }.map(\.step) == [15, 30, 45, 60])
    }
    #expect(
      try DurableFile.read(folder + "/parts/checkpoints/step-00000060.safetensors")
        == DurableFile.read(folder + "/whole/checkpoints/step-00000060.safetensors"))
  }

  /// Ten steps of quality 0.9, then 0.5.
  private func trainForQuality(
    stopAt: Int? = nil, onNext: @escaping (Int) -> Void = { _ in },
    note: (String) -> Void = { _ in }
  ) throws {
    var options = TrainerTests.options(folder, steps: 30)
    options.evaluateEvery = 10
    options.checkpoints.keep = 1
    options.checkpoints.best = .init(metric: "quality")
    let (batches, stop) = (Counting(globalBatch: 10), StopFlag())
    batches.onNext = { step in
      if step == stopAt { stop.raise() }
      onNext(step)
    }
    _ = try Trainer(task: LineTask(globalBatch: 10), options: options, group: .alone).run(
      batches: batches, stop: stop, note: note,
      evaluate: { ["quality": $0 == 10 ? 0.9 : 0.5] })
  }

  @Test(
    "the best is kept though the run was killed before its file had the second name",
    arguments: [true, false])
  func bestAfterKill(isKilled: Bool) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let best = folder + "/checkpoints/best.safetensors"
    try trainForQuality(stopAt: 9)
    // As a kill between the two leaves it.
    if isKilled { try DurableFile.remove(best) }
    try trainForQuality(stopAt: 10)
    #expect(try CheckpointStore.load(best).record.step == 10)
    // One that had its second name already leaves no third behind.
    #expect(
      try DurableFile.names(in: folder + "/checkpoints")
        == ["best.safetensors", "step-00000011.safetensors"])
  }

  @Test("a best one that could not be kept does not stand in the way of the next")
  func bestNotWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let best = folder + "/checkpoints/best.safetensors"
    try DurableFile.makeFolder(best)
    var notes: [String] = []
    try trainForQuality(
      onNext: { step in
        // Steps of microseconds would all be over before the writer's thread is.
        if step >= 10, DurableFile.isFolder(best) { usleep(50_000) }
      },
      note: { note in
        notes.append(note)
        rmdir(best)
      })
    #expect(notes.count == 1 && notes[0].contains("best.safetensors"), "\(notes)")
    #expect(try CheckpointStore.load(best).record.step == 20)
  }

  @Test("replaced pairs are counted over all ranks, through a resume")
  func replaced() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    for steps in [3, 5] {
      _ = try Ranks.run(2) { group in
        let batches = Counting(globalBatch: 10)
        batches.replaced = 1 + group.rank
        var options = TrainerTests.options(folder, steps: steps)
        options.schedule = .constant
        _ = try Trainer(task: LineTask(globalBatch: 10), options: options, group: group)
          .run(batches: batches)
      }.map { try $0.get() }
    }
    #expect(try metrics(folder).map(\.replacedPairs) == [3, 6, 9, 12, 15])
  }

  @Test("a metric that no evaluation gives is told once, with those that are given")
  func unknownMetric() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var options = TrainerTests.options(folder, steps: 6)
    options.evaluateEvery = 2
    options.checkpoints.best = .init(metric: "top1")
    var notes: [String] = []
    _ = try Trainer(task: LineTask(globalBatch: 10), options: options, group: .alone).run(
      batches: Counting(globalBatch: 10), note: { notes.append($0) },
      evaluate: { _ in ["recall": 1, "auc": 1] })
    #expect(notes.count == 1 && notes[0].contains("no top1") && notes[0].hasSuffix("auc, recall"))
    #expect(!DurableFile.exists(folder + "/checkpoints/best.safetensors"))
  }

  @Test("shares of time sum to 1 on each line, and tokens and the slowest rank are told")
  func shares() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    _ = try Ranks.run(2) { group in
      let batches = Counting(globalBatch: 10)
      // Rank 1 loads longer, and rank 0 waits for it in the sums.
      batches.onNext = { _ in usleep(group.rank == 1 ? 50_000 : 100) }
      _ = try Trainer(
        task: LineTask(globalBatch: 10), options: TrainerTests.options(folder, steps: 10),
        group: group
      ).run(batches: batches)
    }.map { try $0.get() }
    let lines = try metrics(folder)
    #expect(lines.count == 10)
    for line in lines {
      let shares = try #require(line.shares)
      let sum =
        shares.data + shares.forward + shares.backward + shares.communication + shares.optimizer
        + shares.checkpoint + shares.evaluation + shares.other
      // Eight roundings in Double.
      #expect(abs(sum - 1) < 1e-12)
      let tokens = try #require(line.tokensPerSecond)
      // Three for each pair; the counts travel as Floats.
      #expect(abs(tokens / line.pairsPerSecond - 3) < 1e-5)
    }
    let slowest = lines.dropFirst().compactMap(\.slowest)
    #expect(slowest.count == 9)
    // On a busy machine some step may go otherwise: most must be as the sleeps say.
    #expect(slowest.count { $0.rank == 1 && $0.shares.data > 0.5 } > 5)
    #expect(lines.dropFirst().count { ($0.shares?.communication ?? 0) > 0.5 } > 5)
  }

  @Test("another setting is refused by its key with both values")
  func settings() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try TrainerTests.train(folder, steps: 10)
    var options = TrainerTests.options(folder, steps: 20)
    options.optimizer.learningRate = 0.1
    options.clipNorm = nil
    options.settings["model.width"] = "64"
    let error = #expect(throws: CheckpointError.self) {
      try Trainer(task: LineTask(globalBatch: 10), options: options, group: .alone)
        .run(batches: Counting(globalBatch: 10))
    }
    let text = try #require(error).description
    for line in [
      "  optimizer.learning_rate: 0.05 → 0.1", "  optimizer.clip_norm: 1.0 → none",
      "  model.width: not set → 64", "  steps: 10 → 20",
      "may grow only where optimizer.schedule is constant",
    ] { #expect(text.contains(line), "\(text)") }
    #expect(!text.contains("beta1"))
  }

  @Test("steps may grow where the schedule is constant, and the bits are those of one long run")
  func longer() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func train(_ name: String, steps: Int) throws -> String {
      var options = TrainerTests.options(folder + name, steps: steps)
      options.schedule = .constant
      options.averageDecay = 0.9
      let task = LineTask(globalBatch: 10)
      _ = try Trainer(task: task, options: options, group: .alone)
        .run(batches: Counting(globalBatch: 10))
      return task.hash
    }
    let whole = try train("/whole", steps: 30)
    #expect(try train("/parts", steps: 12) != whole)
    #expect(try train("/parts", steps: 30) == whole)
    let last = "/checkpoints/step-00000030.safetensors"
    #expect(
      try DurableFile.read(folder + "/parts" + last)
        == DurableFile.read(folder + "/whole" + last))
    #expect(throws: CheckpointError.self) { try train("/parts", steps: 20) }
  }

  @Test("another number of ranks goes on with the same batches and says that rounding differs")
  func otherRanks() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try TrainerTests.train(folder + "/whole", world: 1)
    _ = try TrainerTests.train(folder + "/parts", world: 1, stopAt: 22)
    let second = try TrainerTests.train(folder + "/parts", world: 3)
    #expect(second.allSatisfy { $0.outcome.resumedFrom == 23 && $0.outcome.step == 60 })
    let warnings = second[0].outcome.warnings
    #expect(warnings.count == 1 && warnings[0].contains("1 ranks, now there are 3"))
    // Only the order of 10 additions differs: a few units in the last place, over 40 steps.
    let losses = try [whole, second].map { try #require($0[0].outcome.loss) }
    #expect(abs(losses[0] - losses[1]) < 1e-5)
  }
}
