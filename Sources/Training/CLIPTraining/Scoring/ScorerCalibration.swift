import ContentHashing
import DurableFiles
import FoundationEssentials
import Glibc
import Synchronization
import TensorEngine
import WorkerThreads

/// How a model is fed on this machine; it decides how long scoring takes, and nothing else.
public struct ScorerCalibration: Sendable, Equatable, Codable, CustomStringConvertible {
  /// Pictures that go through the tower together.
  public var batchSize: Int
  /// Lanes side by side.
  public var threads: Int
  /// Pictures a second as measured, by random pixels.
  public var imagesPerSecond: Double

  public var description: String {
    "\(batchSize) pictures at a time on each of \(threads) threads: "
      + "\((imagesPerSecond * 10).rounded() / 10) pictures a second"
  }

  /// Tries batches of 1, 2, 4 … pictures on every thread, and with fewer threads.
  ///
  /// - Parameters:
  ///   - seconds: No try is begun after this; one picture of a large model may take longer.
  ///   - threads: The most threads.
  ///   - largest: The most pictures in a batch.
  ///   - now: The time in seconds.
  ///   - run: Takes one batch of this many pictures on each of so many threads.
  /// - Returns: The fastest.
  package static func measure(
    seconds: Double, threads: Int, largest: Int, now: () -> Double = Self.clock,
    _ run: (_ batch: Int, _ threads: Int) -> Void
  ) -> ScorerCalibration {
    let start = now()
    func rate(_ batch: Int, _ threads: Int) -> ScorerCalibration {
      let began = now()
      run(batch, threads)
      return ScorerCalibration(
        batchSize: batch, threads: threads,
        imagesPerSecond: Double(batch * threads) / max(now() - began, 1e-9))
    }
    // What is first of all warms up: pages, and the pool of memory.
    run(1, threads)
    var best = rate(1, threads)
    var batch = 2
    while batch <= largest, now() - start < seconds {
      let next = rate(batch, threads)
      // Twice the batch for 2 % more is not worth its memory.
      if next.imagesPerSecond < best.imagesPerSecond * 1.02 { break }
      best = next
      batch *= 2
    }
    // Threads that share a core may be better left out.
    if threads >= 4, now() - start < seconds {
      let half = rate(best.batchSize, threads / 2)
      if half.imagesPerSecond > best.imagesPerSecond { best = half }
    }
    return best
  }

  /// Seconds since some fixed moment.
  package static func clock() -> Double {
    var time = timespec()
    let result = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    precondition(result == 0, "clock_gettime: errno \(errno)")
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension CLIPScorer {
  /// Finds the batch size for this machine, and uses it from now on.
  ///
  /// - Parameters:
  ///   - seconds: About how long it may take.
  ///   - folder: Where the result is kept, for this model, machine and number of threads; nil measures
  ///     anew.
  /// - Returns: What was measured, now or before.
  /// - Throws: What the file system refuses.
  @discardableResult
  public func calibrate(seconds: Double = 1.5, folder: String? = nil) throws -> ScorerCalibration {
    let most = TensorThreads.current
    let path = folder.map { "\($0)/calibration-\(machine(threads: most)).json" }
    if let path, DurableFile.exists(path),
      // One that cannot be read is measured again.
      let known = try? JSONDecoder().decode(
        ScorerCalibration.self, from: Data(DurableFile.read(path))),
      (1...4096).contains(known.batchSize), (1...most).contains(known.threads)
    {
      batches.use(known)
      return known
    }
    let found = ScorerCalibration.measure(seconds: seconds, threads: most, largest: 64) {
      batch, threads in batches.tryOut(batch: batch, threads: threads)
    }
    batches.use(found)
    if let folder, let path {
      try DurableFile.makeFolder(folder)
      try DurableFile.write(Array(JSONEncoder().encode(found)), to: path)
    }
    return found
  }

  /// Names model, precision, processor and threads.
  private func machine(threads: Int) -> String {
    // A system without the file has one processor for all.
    let information = (try? DurableFile.read("/proc/cpuinfo")) ?? []
    let line = String(decoding: information, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("model name") }
    let text = "\(weightsHash) \(precision) \(line ?? "") \(threads) \(VectorInstructions.current)"
    return String(ContentHash.sha256Hex(Array(text.utf8)).prefix(32))
  }
}
