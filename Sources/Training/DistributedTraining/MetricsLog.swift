import DurableFiles
import FoundationEssentials
import Glibc

/// What one step did, as one line of `metrics.jsonl`.
public struct StepMetrics: Codable, Sendable, Equatable {
  /// Steps done, from 1.
  public var step: Int
  /// Samples consumed so far by all ranks.
  public var samples: Int
  public var loss: Float
  public var learningRate: Float
  /// L2 norm of the summed gradient before clipping.
  public var gradientNorm: Float
  /// Pairs of all ranks per second, since the line before.
  public var pairsPerSecond: Double
  /// Share of the time that rank 0 waited for batches.
  public var waitShare: Double
  /// Seconds per step that rank 0 spent in collectives, which nothing hid.
  public var exposedCommunicationSeconds: Double
  /// Pairs replaced so far on rank 0.
  public var replacedPairs: Int
  /// The task's own values.
  public var scalars: [String: Float]

  enum CodingKeys: String, CodingKey {
    case step, samples, loss, scalars
    case learningRate = "lr"
    case gradientNorm = "grad_norm"
    case pairsPerSecond = "pairs_per_s"
    case waitShare = "wait_share"
    case exposedCommunicationSeconds = "exposed_comm_s"
    case replacedPairs = "replaced_pairs"
  }
}

/// Appends lines to `metrics.jsonl`.
struct MetricsLog {
  let path: String

  /// Drops the lines after `step`: a resumed run writes them again.
  func keep(upTo step: Int) throws {
    guard DurableFile.exists(path) else { return }
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    let kept = text.split(separator: "\n").filter { line in
      // A line cut by a crash cannot be decoded, and is dropped.
      let metrics = try? JSONDecoder().decode(StepMetrics.self, from: Data(Array(line.utf8)))
      return metrics.map { $0.step <= step } ?? false
    }
    try DurableFile.write(kept.map { $0 + "\n" }.joined(), to: path)
  }

  func append(_ metrics: StepMetrics) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let line = [UInt8](try encoder.encode(metrics)) + [UInt8(ascii: "\n")]
    guard let file = unsafe fopen(path, "ae") else {
      throw FileError(operation: "append to", path: path, errorNumber: errno)
    }
    defer { unsafe fclose(file) }
    guard unsafe fwrite(line, 1, line.count, file) == line.count else {
      throw FileError(operation: "append to", path: path, errorNumber: errno)
    }
  }
}
