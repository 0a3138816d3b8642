import Checkpointing
import DurableFiles
import Foundation
import TensorEngine
import Testing

@Suite struct CheckpointWriterTests {
  let folder = NSTemporaryDirectory() + "writer-" + UUID().uuidString

  func checkpoint(_ step: Int, _ tensor: Tensor) -> Checkpoint {
    Checkpoint(
      parameters: [("w", tensor)], optimizer: [],
      record: CheckpointRecord(step: step, cursor: step, seed: 0, worldSize: 1, configuration: ""))
  }

  @Test("what is written is the state at the hand-over, whatever the run does meanwhile")
  func snapshot() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = CheckpointWriter(store: CheckpointStore(folder: folder, keeps: 30))
    var tensor = Tensor(shape: [1 << 18], repeating: 0)
    for step in 1...20 {
      tensor.withMutableSpan { for index in $0.indices { $0[index] = Float(step) } }
      writer.write(checkpoint(step, tensor))
      // While the thread hashes and writes.
      tensor.withMutableSpan { for index in $0.indices { $0[index] = -1 } }
    }
    writer.wait()
    #expect(writer.takeFailure() == nil)
    #expect(writer.last == .init(path: writer.store.path(step: 20), step: 20))
    for step in 1...20 {
      let loaded = try CheckpointStore.load(writer.store.path(step: step))
      #expect(loaded.parameters[0].tensor.values.allSatisfy { $0 == Float(step) })
    }
  }

  @Test("the best outlives its step's own file, and the newest are kept")
  func best() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = CheckpointStore(folder: folder, keeps: 2)
    let writer = CheckpointWriter(store: store)
    for step in 1...6 { writer.write(checkpoint(step, Tensor(Float(step))), isBest: step <= 2) }
    writer.wait()
    #expect(
      try DurableFile.names(in: folder) == [
        "best.safetensors", "step-00000005.safetensors", "step-00000006.safetensors",
      ])
    #expect(try CheckpointStore.load(store.bestPath).record.step == 2)
    #expect(try store.latest().checkpoint?.record.step == 6)
  }

  @Test("a failure is told once, and the last whole checkpoint stays the last")
  func failure() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = CheckpointWriter(store: CheckpointStore(folder: folder))
    writer.write(checkpoint(1, Tensor(1)))
    writer.wait()
    try FileManager.default.moveItem(atPath: folder, toPath: folder + ".aside")
    defer { try? FileManager.default.removeItem(atPath: folder + ".aside") }
    try DurableFile.write("in the way", to: folder)
    writer.write(checkpoint(2, Tensor(2)))
    writer.wait()
    #expect(writer.takeFailure()?.path == writer.store.path(step: 2))
    #expect(writer.takeFailure() == nil)
    #expect(writer.last?.step == 1)
  }

  @Test(
    "better is larger or smaller, as asked, and never NaN",
    arguments: [
      (CheckpointOptions.Best.Mode.max, 2.0, [1.0], true), (.max, 1, [1], false),
      (.max, .nan, [], false), (.max, 1, [.nan], true), (.min, 1, [2, 3], true),
      (.min, 3, [2], false),
    ])
  func better(mode: CheckpointOptions.Best.Mode, value: Double, earlier: [Double], isBetter: Bool) {
    let best = CheckpointOptions.Best(metric: "m", mode: mode)
    #expect(best.isBetter(value, than: earlier) == isBetter)
  }
}
