import Autograd
import Checkpointing
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import Optimizers
import RankThreads
import TensorEngine
import Testing

@Suite struct TrainerTests {
  let folder = NSTemporaryDirectory() + "trainer-" + UUID().uuidString

  static func options(_ folder: String, steps: Int, every: Int = 0) -> TrainerOptions {
    TrainerOptions(
      globalBatch: 10, steps: steps,
      optimizer: AdamWOptions(
        learningRate: 0.05, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01),
      warmupSteps: 5, clipNorm: 1, checkpointEvery: every, logEvery: 1, folder: folder, seed: 1,
      configuration: "line")
  }

  /// Trains in `folder`; asks to stop while step `stopAt` is computed.
  static func train(
    _ folder: String, world: Int = 1, steps: Int = 60, every: Int = 0, stopAt: Int? = nil
  ) throws -> [(outcome: TrainingOutcome, hash: String)] {
    try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      let batches = Counting(globalBatch: 10)
      let stop = StopFlag()
      // Only the last rank is asked: all have to stop after the same step.
      batches.onNext = { if $0 == stopAt, group.rank == group.worldSize - 1 { stop.raise() } }
      let outcome = try Trainer(
        task: task, options: options(folder, steps: steps, every: every), group: group
      ).run(batches: batches, stop: stop)
      return (outcome, task.hash)
    }.map { try $0.get() }
  }

  @Test(
    "a stopped and resumed run ends with the same bits as one that was never stopped",
    arguments: [1, 2, 3])
  func resume(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try Self.train(folder + "/whole", world: world)
    let first = try Self.train(folder + "/parts", world: world, stopAt: 22)
    #expect(first.allSatisfy { $0.outcome.wasStopped && $0.outcome.step == 23 })
    let second = try Self.train(folder + "/parts", world: world)
    #expect(second.allSatisfy { $0.outcome.resumedFrom == 23 && $0.outcome.step == 60 })
    #expect(Set(whole.map(\.hash) + second.map(\.hash)).count == 1)
    #expect(first[0].hash != whole[0].hash)
  }

  @Test("the log of a resumed run has each step once, and its losses fall")
  func log() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Self.train(folder, steps: 60, every: 20, stopAt: 30)
    // As after a crash: the newest checkpoint is older than the log.
    try DurableFile.remove(folder + "/checkpoints/step-00000031.safetensors")
    let second = try Self.train(folder, steps: 60, every: 20)
    #expect(second[0].outcome.resumedFrom == 20)
    let lines = String(decoding: try DurableFile.read(folder + "/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n")
      .map { try? JSONDecoder().decode(StepMetrics.self, from: Data($0.utf8)) }
    #expect(lines.map { $0?.step } == Array(1...60))
    let (start, end) = (try #require(lines.first ?? nil), try #require(lines.last ?? nil))
    #expect(end.loss < start.loss / 20)
    #expect(start.scalars == ["count": 10])
    #expect(start.learningRate == Float(0.05 / 5))
  }

  @Test("one rank and three end at nearly the same parameters")
  func worlds() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let losses = try [1, 3].map { world in
      try Self.train(folder + "/\(world)", world: world, steps: 40)[0].outcome.loss ?? .nan
    }
    // Only the order of 10 additions differs: a few units in the last place, over 40 steps.
    #expect(abs(losses[0] - losses[1]) < 1e-5)
  }

  @Test("a folder of another configuration is refused")
  func refused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Self.train(folder, steps: 3)
    var other = Self.options(folder, steps: 3)
    other.configuration = "another"
    #expect(throws: CheckpointError.self) {
      try Trainer(task: LineTask(globalBatch: 10), options: other, group: .alone)
        .run(batches: Counting(globalBatch: 10))
    }
  }

  @Test("a damaged newest checkpoint is told, set aside and stepped over", arguments: [1, 2])
  func damaged(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try Self.train(folder + "/whole", world: world)
    let parts = folder + "/parts"
    _ = try Self.train(parts, world: world, every: 20, stopAt: 44)
    let checkpoints = parts + "/checkpoints"
    try DurableFile.write("cut", to: checkpoints + "/step-00000045.safetensors")
    try DurableFile.write("left by a kill", to: checkpoints + "/x.1.1.tmp")
    let told = Shared<[String]>([])
    let second = try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      let outcome = try Trainer(
        task: task, options: Self.options(parts, steps: 60, every: 20), group: group
      ).run(
        batches: Counting(globalBatch: 10),
        resumed: { step, warnings in
          told.value.withLock { $0 += ["rank \(group.rank) from \(step)"] + warnings }
        })
      return (outcome.resumedFrom, task.hash)
    }.map { try $0.get() }
    #expect(second.allSatisfy { $0 == (40, whole[0].hash) })
    let lines = told.value.withLock { $0 }
    #expect(lines.count == 2 && lines[0] == "rank 0 from 40")
    #expect(lines[1].contains("step-00000045.safetensors"))
    #expect(
      try DurableFile.names(in: checkpoints) == [
        "step-00000020.safetensors", "step-00000040.safetensors",
        "step-00000045.safetensors.broken", "step-00000060.safetensors",
      ])
  }

  @Test("a run all of whose checkpoints are damaged does not begin again in silence")
  func allDamaged() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Self.train(folder, steps: 3)
    let path = folder + "/checkpoints/step-00000003.safetensors"
    try DurableFile.write("cut", to: path)
    // A second time as well: nothing was set aside.
    for _ in 0..<2 {
      let error = #expect(throws: CheckpointError.self) { try Self.train(folder, steps: 3) }
      guard case .allBroken(1, let newest) = error?.reason else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(newest.contains(path))
    }
  }

  @Test("a lost rank ends the step of every other with its number")
  func lost() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let results = try Ranks.run(3) { group in
      let batches = Counting(globalBatch: 10)
      batches.onNext = { if $0 == 5, group.rank == 1 { group.close() } }
      var options = Self.options(folder, steps: 10)
      // A line of the log is made by all ranks: without one, only the sums meet the loss.
      options.logEvery = 100
      _ = try Trainer(task: LineTask(globalBatch: 10), options: options, group: group)
        .run(batches: batches)
    }
    for rank in [0, 2] {
      #expect(throws: CollectiveError.peerLost(rank: 1, operation: "all-reduce")) {
        try results[rank].get()
      }
    }
  }
}
