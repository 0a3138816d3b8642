import Checkpointing
import Foundation
import TensorEngine
import Testing

/// What `pairloom train` says when it cannot go on.
@Suite(.serialized) struct TrainingFailureTests {
  @Test("a weight that is no number ends the run with all there is to know", arguments: [1, 2])
  func diverged(ranks: Int) throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let out = folder.path + "/out"
    let settings = ["checkpoint_every=10", "ranks=\(ranks)"]
    let command = try training.command(.transformer, out: out, settings)
    #expect(try Program.run(command).status == 0)
    // As a broken program would have left it: whole by its checksum, bad inside.
    let store = CheckpointStore(folder: out + "/checkpoints")
    for path in try store.paths().dropFirst() { try FileManager.default.removeItem(atPath: path) }
    let path = try #require(try store.paths().first)
    var checkpoint = try CheckpointStore.load(path)
    let index = try #require(checkpoint.parameters.firstIndex { $0.name == "text_projection" })
    checkpoint.parameters[index].tensor.withMutableSpan { $0[0] = .nan }
    try store.save(checkpoint)
    let step = checkpoint.record.step

    let end = try Program.run(command)
    #expect(end.status == 1, "\(end.error)")
    for words in [
      "step \(step + 1): the loss is nan", "Parameters that are no numbers: text_projection.",
      "Gradients that are no numbers", "Pairs of the batch: pair", "and 17 more",
      "All of it is in \(out)/diverged.json", "checkpoints/step-\(String(format: "%08d", step))",
      "--set optimizer.learning_rate=0.001 or less", "--set start_from=\(out)/checkpoints/step-",
    ] { #expect(end.error.contains(words), "\(words) in \(end.error)") }
    // Said once, however many ranks there are.
    #expect(end.error.components(separatedBy: "the loss is nan").count == 2, "\(end.error)")
    #expect(try SmallTraining.checkpoints(out).count == 1)
    let report = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: out + "/diverged.json")))
    let fields = try #require(report as? [String: Any])
    let keys = try #require(fields["keys"] as? [[String]])
    #expect(keys.count == ranks && keys.reduce(0) { $0 + $1.count } == 20)
    #expect(fields["checkpoint_step"] as? Int == step)
  }

  @Test("another run may begin with the weights of a checkpoint, as the message advises")
  func startFromCheckpoint() throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let (first, second) = (folder.path + "/first", folder.path + "/second")
    // At a rate of 0 a step leaves the weights as they are.
    let still = ["steps=1", "optimizer.warmup_steps=0", "optimizer.learning_rate=0.0"]
    #expect(
      try Program.run(try training.command(.transformer, out: first, ["checkpoint_every=10"]))
        .status == 0)
    let path = first + "/checkpoints/step-00000030.safetensors"
    let end = try Program.run(
      try training.command(.transformer, out: second, still + ["start_from=\(path)"]))
    #expect(end.status == 0, "\(end.error)")
    let (own, theirs) = (
      try CheckpointStore.load(path),
      try CheckpointStore.load(second + "/checkpoints/step-00000001.safetensors")
    )
    #expect(
      Checkpoint.hash(of: own.parameters) == Checkpoint.hash(of: theirs.parameters))
  }

  @Test(
    "a manifest that would change the numbers is refused by key, with exit code 2",
    arguments: [1, 2])
  func changed(ranks: Int) throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let out = folder.path + "/out"
    let settings = ["steps=12", "ranks=\(ranks)"]
    let first = try Program.run(try training.command(.transformer, out: out, settings))
    #expect(first.status == 0, "\(first.error)")
    for words in [
      "parameters", "48 pairs in 1 shard of ", "12 steps of 20 pairs", "writes  \(out)",
    ] {
      #expect(first.error.contains(words), "\(words) in \(first.error)")
    }
    let other = try Program.run(
      try training.command(
        .transformer, out: out, settings + ["optimizer.learning_rate=0.01", "log_every=1"]))
    #expect(other.status == 2, "\(other.error)")
    #expect(other.error.contains("optimizer.learning_rate: 0.002 → 0.01"), "\(other.error)")
    #expect(!other.error.contains("log_every:"), "\(other.error)")
  }

  @Test(
    "a full disk ends the run with the last good checkpoint; with more room the same command ends it",
    .enabled(if: FullDiskTests.mayMount, "needs the right to mount"), arguments: [1, 2])
  func fullDisk(ranks: Int) throws {
    let folder = try TemporaryFolder()
    let training = try SmallTraining(folder: folder.path)
    let settings = ["checkpoint_every=5", "ranks=\(ranks)"]
    let calm = folder.path + "/calm"
    let whole = try Program.run(try training.command(.transformer, out: calm, settings))
    #expect(whole.status == 0, "\(whole.error)")
    let expected = try SmallTraining.Result(calm)

    // Room for two checkpoints and what little else there is, but not for three.
    let disk = try #require(
      try FullDiskTests.SmallDisk(
        kilobytes: expected.checkpointBytes.count * 5 / 2 / 1_024 + 40))
    let out = disk.path + "/out"
    let command = try training.command(.transformer, out: out, settings)
    let ended = try Program.run(command)
    #expect(ended.status == 1, "\(ended.error)")
    let last = try #require(try SmallTraining.checkpoints(out).last)
    for words in [
      "warning: ", "No space left on device", "a checkpoint of the next step is tried instead",
      "This was tried twice", "The last good checkpoint is \(out)/checkpoints/\(last).",
    ] { #expect(ended.error.contains(words), "\(words) in \(ended.error)") }
    #expect(try SmallTraining.temporaries(out) == [])
    try disk.resize(kilobytes: expected.checkpointBytes.count * 8 / 1_024 + 400)
    let again = try Program.run(command)
    #expect(again.status == 0, "\(again.error)")
    #expect(try SmallTraining.Result(out).differences(from: expected) == [])
  }
}
