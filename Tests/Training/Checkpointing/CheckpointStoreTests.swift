import Checkpointing
import DurableFiles
import Foundation
import TensorEngine
import Testing

@Suite struct CheckpointStoreTests {
  let folder = NSTemporaryDirectory() + "checkpoints-" + UUID().uuidString

  func checkpoint(step: Int) -> Checkpoint {
    Checkpoint(
      parameters: [("b", Tensor(shape: [2], [.pi, -0.0])), ("a", Tensor(Float(step)))],
      optimizer: [("exp_avg.a", Tensor(shape: [1, 3], [1, 2, 3]))],
      record: CheckpointRecord(
        step: step, cursor: step * 64, seed: .max, worldSize: 2, configuration: "abc"))
  }

  @Test("what is loaded is what was saved, bit for bit, and only the newest are kept")
  func roundTrip() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = CheckpointStore(folder: folder, keeps: 2)
    for step in [9, 10, 100] { try store.save(checkpoint(step: step)) }
    #expect(
      try DurableFile.names(in: folder)
        == ["step-00000010.safetensors", "step-00000100.safetensors"])
    let (loaded, warnings) = try store.latest()
    let newest = try #require(loaded)
    #expect(warnings.isEmpty)
    #expect(newest.record == checkpoint(step: 100).record)
    let expected = checkpoint(step: 100)
    #expect(Checkpoint.hash(of: newest.parameters) == Checkpoint.hash(of: expected.parameters))
    #expect(Checkpoint.hash(of: newest.optimizer) == Checkpoint.hash(of: expected.optimizer))
    #expect(newest.optimizer.map(\.name) == ["exp_avg.a"])
  }

  @Test("a broken newest file is passed over and reported", arguments: ["flip", "cut"])
  func broken(damage: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = CheckpointStore(folder: folder)
    try store.save(checkpoint(step: 1))
    let path = try store.save(checkpoint(step: 2))
    var bytes = try DurableFile.read(path)
    if damage == "flip" { bytes[bytes.count - 1] ^= 1 } else { bytes.removeLast(5) }
    try DurableFile.write(bytes, to: path)
    let (loaded, warnings) = try store.latest()
    #expect(loaded?.record.step == 1)
    #expect(warnings.map(\.path) == [path])
    if damage == "flip" { #expect(warnings.first?.reason == .checksumMismatch) }
  }

  @Test("the file just saved is kept, whatever number the others have")
  func retention() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = CheckpointStore(folder: folder, keeps: 2)
    for step in [50, 60, 70] { try store.save(checkpoint(step: step)) }
    // As after a run that went on from an older checkpoint.
    let path = try store.save(checkpoint(step: 5))
    #expect(try store.paths() == [path, folder + "/step-00000070.safetensors"])
  }

  @Test("a damaged file that is set aside is kept, but is no checkpoint any more")
  func setAside() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = CheckpointStore(folder: folder)
    try store.save(checkpoint(step: 1))
    let path = try store.save(checkpoint(step: 2))
    try DurableFile.write("cut", to: path)
    try store.setAside(try store.latest().warnings)
    #expect(
      try DurableFile.names(in: folder)
        == ["step-00000001.safetensors", "step-00000002.safetensors.broken"])
    #expect(try store.latest().warnings.isEmpty)
  }

  @Test("an empty or missing folder holds no checkpoint and is no error")
  func empty() throws {
    let (loaded, warnings) = try CheckpointStore(folder: folder).latest()
    #expect(loaded == nil && warnings.isEmpty)
  }
}
