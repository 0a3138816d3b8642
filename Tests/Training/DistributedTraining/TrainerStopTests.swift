import Checkpointing
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import RankThreads
import TensorEngine
import Testing

/// What ends a run before its last step: numbers that are none, ranks that differ, a disk that refuses.
@Suite struct TrainerStopTests {
  let folder = NSTemporaryDirectory() + "trainer-stop-" + UUID().uuidString

  private static func names(_ folder: String) throws -> [String] {
    try DurableFile.names(in: folder + "/checkpoints")
  }

  @Test(
    "a gradient that is no number ends every rank with step, pairs, parameter and checkpoint",
    arguments: [1, 3])
  func diverged(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let results = try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      task.onBackward = { task, call in
        if call == 8, group.rank == world - 1 {
          task.weight.gradient = Tensor(shape: [2, 1], [1, .infinity])
        }
      }
      _ = try Trainer(
        task: task, options: TrainerTests.options(folder, steps: 20, every: 5), group: group
      ).run(batches: Counting(globalBatch: 10))
    }
    for (rank, result) in results.enumerated() {
      let error = #expect(throws: TrainingDiverged.self) { try result.get() }
      #expect(error?.step == 8 && error?.gradients == ["weight"] && error?.parameters == [])
      #expect(error?.keys.flatMap { $0 } == (70..<80).map { "pair\($0)" })
      #expect(error?.keys.count == world)
      #expect((error?.checkpointStep == 5) == (rank == 0))
    }
    #expect(try Self.names(folder) == ["step-00000005.safetensors"])
    let text = String(decoding: try DurableFile.read(folder + "/diverged.json"), as: UTF8.self)
    for word in ["pair79", "\"weight\"", "step-00000005.safetensors", "\"step\" : 8"] {
      #expect(text.contains(word), "\(word) in \(text)")
    }
    // The next part begins without what the one before had to say.
    let task = LineTask(globalBatch: 10)
    _ = try Trainer(
      task: task, options: TrainerTests.options(folder, steps: 20, every: 5), group: .alone
    ).run(batches: Counting(globalBatch: 10))
    #expect(!DurableFile.exists(folder + "/diverged.json"))
  }

  @Test("parameters that are no numbers are named and never saved", arguments: [1, 2])
  func badParameters(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let results = try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      // After the step that is saved: its loss was still fine.
      task.onStep = { task, call in
        if call == 10 { task.bias.value = Tensor(shape: [1], [.nan]) }
      }
      _ = try Trainer(
        task: task, options: TrainerTests.options(folder, steps: 20, every: 5), group: group
      ).run(batches: Counting(globalBatch: 10))
    }
    for result in results {
      let error = #expect(throws: TrainingDiverged.self) { try result.get() }
      #expect(error?.step == 10 && error?.parameters == ["bias"])
    }
    #expect(try Self.names(folder) == ["step-00000005.safetensors"])
  }

  @Test(
    "one flipped bit on one rank ends all, with the rank, the parameter and the checkpoint before",
    arguments: [2, 3])
  func flipped(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let results = try Ranks.run(world) { group in
      let task = LineTask(globalBatch: 10)
      task.onStep = { task, call in
        guard call == 12, group.rank == 1 else { return }
        let value = Float(bitPattern: task.bias.value.scalar.bitPattern ^ 1)
        task.bias.value = Tensor(shape: [1], [value])
      }
      var options = TrainerTests.options(folder, steps: 40, every: 5)
      options.checkRanksEvery = 4
      _ = try Trainer(task: task, options: options, group: group)
        .run(batches: Counting(globalBatch: 10))
    }
    for (rank, result) in results.enumerated() {
      let error = #expect(throws: RanksDiverged.self) { try result.get() }
      // 10 was compared for its checkpoint, 12 is a multiple of 4.
      #expect(error?.step == 12 && error?.lastAgreed == 10)
      #expect(error?.ranks == (world == 2 ? [0, 1] : [1]))
      #expect(error?.hasMajority == (world == 3))
      #expect(error?.parameter == "bias")
      #expect((error?.checkpoint?.hasSuffix("/step-00000010.safetensors") == true) == (rank == 0))
    }
  }

  @Test("without a comparison between, a flipped bit is found before the next checkpoint")
  func flippedBeforeCheckpoint() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let results = try Ranks.run(2) { group in
      let task = LineTask(globalBatch: 10)
      task.onStep = { task, call in
        guard call == 7, group.rank == 0 else { return }
        task.weight.value = Tensor(shape: [2, 1], task.weight.value.values.map { -$0 })
      }
      var options = TrainerTests.options(folder, steps: 40, every: 5)
      options.checkRanksEvery = 0
      _ = try Trainer(task: task, options: options, group: group)
        .run(batches: Counting(globalBatch: 10))
    }
    for result in results {
      #expect(throws: RanksDiverged.self) { try result.get() }
    }
    #expect(try Self.names(folder) == ["step-00000005.safetensors"])
  }

  /// Puts a file in the place of the folder of checkpoints while step 9 is computed; with `isMended` the folder
  /// comes back as soon as the trainer tells of it.
  private static func train(
    _ folder: String, world: Int, isMended: Bool, notes: Shared<[String]>
  ) throws -> [Result<TrainingOutcome, any Error>] {
    let (checkpoints, aside) = (folder + "/checkpoints", folder + "/aside")
    return try Ranks.run(world) { group in
      let batches = Counting(globalBatch: 10)
      batches.onNext = { step in
        guard group.rank == 0, step >= 8 else { return }
        if step == 8 {
          // Step 5's is renamed, then its folder is fsynced: time for that as well.
          while !DurableFile.exists(checkpoints + "/step-00000005.safetensors") { usleep(1_000) }
          usleep(100_000)
          rename(checkpoints, aside)
          // Where this fails, the run does not, and the test does.
          try? DurableFile.write("in the way", to: checkpoints)
        }
        // Steps of microseconds would all be over before the writer's thread is.
        if notes.value.withLock({ $0.isEmpty }) { usleep(30_000) }
      }
      return try Trainer(
        task: LineTask(globalBatch: 10), options: TrainerTests.options(folder, steps: 30, every: 5),
        group: group
      ).run(
        batches: batches,
        note: { note in
          notes.value.withLock { $0.append(note) }
          guard isMended else { return }
          unlink(checkpoints)
          rename(aside, checkpoints)
        })
    }
  }

  @Test(
    "a checkpoint that cannot be written is told, and tried again with the next step",
    arguments: [1, 2])
  func mended(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let notes = Shared<[String]>([])
    let results = try Self.train(folder, world: world, isMended: true, notes: notes)
    #expect(try results.map { try $0.get() }.allSatisfy { $0.step == 30 && !$0.wasStopped })
    let told = notes.value.withLock { $0 }
    #expect(told.count == 1 && told[0].contains("/checkpoints/step-00000010.safetensors"))
    #expect(try Self.names(folder).last == "step-00000030.safetensors")
  }

  @Test(
    "a disk that refuses twice ends the run on every rank, with the last good checkpoint named",
    arguments: [1, 2])
  func notWritten(world: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let notes = Shared<[String]>([])
    let results = try Self.train(folder, world: world, isMended: false, notes: notes)
    let error = #expect(throws: CheckpointError.self) { try results[0].get() }
    guard case .notWritten(let why, let lastGood) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(why.contains("/checkpoints"))
    #expect(lastGood == folder + "/checkpoints/step-00000005.safetensors")
    #expect(notes.value.withLock { $0.count } == 1)
    for result in results.dropFirst() { #expect(try result.get().wasStopped) }
    // The folder is back: the same run goes on from there.
    unlink(folder + "/checkpoints")
    rename(folder + "/aside", folder + "/checkpoints")
    let again = try TrainerTests.train(folder, world: world, steps: 30, every: 5)
    #expect(again.allSatisfy { $0.outcome.resumedFrom == 5 && $0.outcome.step == 30 })
  }

  @Test("a line of the log that the disk refuses ends the run")
  func fullLog() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = folder + "/metrics.jsonl"
    let batches = Counting(globalBatch: 10)
    batches.onNext = { step in
      guard step == 3 else { return }
      unlink(log)
      symlink("/dev/full", log)
    }
    let error = #expect(throws: FileError.self) {
      try Trainer(
        task: LineTask(globalBatch: 10), options: TrainerTests.options(folder, steps: 5),
        group: .alone
      ).run(batches: batches)
    }
    // At the line, not at the checkpoint's fsync, which a full disk does not refuse.
    #expect(error?.errorNumber == ENOSPC)
  }

  @Test("a second run in the same folder is refused while the first goes on")
  func inUse() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folder = self.folder
    let batches = Counting(globalBatch: 10)
    batches.onNext = { step in
      guard step == 3 else { return }
      #expect(throws: FolderInUse.self) { try TrainerTests.train(folder, steps: 5) }
    }
    _ = try Trainer(
      task: LineTask(globalBatch: 10), options: TrainerTests.options(folder, steps: 5),
      group: .alone
    ).run(batches: batches)
    #expect(try TrainerTests.train(folder, steps: 5)[0].outcome.resumedFrom == 5)
  }
}
