import BatchLoading
import Foundation
import Testing

/// How long a step waits for its batch.
@Suite(.serialized) struct LoaderPaceTests {
  /// Shares of steps of `step` seconds that went by in `next()`, where one caption costs `caption` seconds.
  static func waits(step: Double, caption: Double) throws -> [Double] {
    let data = try MadeDataset(count: 12)
    defer { data.remove() }
    let reader = SampleReader(
      source: try PairSource(datasetPath: data.path),
      options: BatchOptions(
        globalBatch: 4, seed: 1, preprocessing: ImagePreprocessing(size: 8), cacheBytes: 0)
    ) { _ in
      Thread.sleep(forTimeInterval: caption)
      return []
    }
    let loader = BatchLoader(reader: reader, position: 0, rank: 0, worldSize: 1, depth: 2)
    defer { loader.stop() }
    _ = try loader.next()
    return try (0..<9).map { _ in
      let began = ContinuousClock.now
      Thread.sleep(forTimeInterval: step)
      let asked = ContinuousClock.now
      _ = try loader.next()
      return (ContinuousClock.now - asked) / (ContinuousClock.now - began)
    }.sorted()
  }

  // The median step: on a busy machine any one of them may be put aside.
  @Test("a step of 200 ms waits less than 2 % for a loader that needs a tenth of it")
  func quick() async throws {
    let shares = try await onThread { try Self.waits(step: 0.2, caption: 0.005) }
    #expect(shares[4] < 0.02, "\(shares)")
  }

  @Test("a step waits most of the time for a loader that needs four times as long")
  func slow() async throws {
    let shares = try await onThread { try Self.waits(step: 0.02, caption: 0.02) }
    #expect(shares[4] > 0.5, "\(shares)")
  }

  @Test("the loader prepares its depth of batches and no more")
  func bounded() throws {
    let data = try MadeDataset(count: 12)
    defer { data.remove() }
    let made = Counter()
    let reader = SampleReader(
      source: try PairSource(datasetPath: data.path),
      options: BatchOptions(
        globalBatch: 4, seed: 1, preprocessing: ImagePreprocessing(size: 8), cacheBytes: 0)
    ) { _ in
      made.add()
      return []
    }
    let loader = BatchLoader(reader: reader, position: 0, rank: 0, worldSize: 1, depth: 3)
    _ = try loader.next()
    loader.stop()
    // The one that was taken, three that wait, and none that the stop came too late for.
    #expect(made.count <= 4 * 4 && made.count >= 4)
  }
}

/// Runs `body` on a thread of its own: it blocks.
private func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result(catching: body)) }.start()
  }
}

private final class Counter: @unchecked Sendable {
  // Sendable: guarded by the lock.
  private let lock = NSLock()
  private var value = 0
  var count: Int { lock.withLock { value } }
  func add() { lock.withLock { value += 1 } }
}
