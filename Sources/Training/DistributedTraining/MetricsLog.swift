import DurableFiles
import FoundationEssentials

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
  /// Pairs of all ranks replaced so far.
  public var replacedPairs: Int
  /// The task's own values.
  public var scalars: [String: Float]
  /// Text tokens of all ranks per second, since the line before.
  public var tokensPerSecond: Double?
  /// What rank 0's time went into.
  public var shares: TimeShares?
  /// Of two ranks or more, the one that the others wait for.
  public var slowest: SlowestRank?
  /// What an evaluation after this step gave; a line that has it stands beside the step's own line, and
  /// repeats the speeds of the line before.
  public var evaluation: [String: Double]?

  enum CodingKeys: String, CodingKey {
    case step, samples, loss, scalars, shares, slowest, evaluation
    case tokensPerSecond = "tokens_per_s"
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
  ///
  /// - Returns: The evaluations that stay, oldest first.
  @discardableResult
  func keep(upTo step: Int) throws -> [[String: Double]] {
    guard DurableFile.exists(path) else { return [] }
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    var kept: [Substring] = []
    var evaluations: [[String: Double]] = []
    for line in text.split(separator: "\n") {
      // A line cut by a crash cannot be decoded, and is dropped.
      let metrics = try? JSONDecoder().decode(StepMetrics.self, from: Data(Array(line.utf8)))
      guard let metrics, metrics.step <= step else { continue }
      kept.append(line)
      if let evaluation = metrics.evaluation { evaluations.append(evaluation) }
    }
    try DurableFile.write(kept.map { $0 + "\n" }.joined(), to: path)
    return evaluations
  }

  func append(_ metrics: StepMetrics) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let line = [UInt8](try encoder.encode(metrics)) + [UInt8(ascii: "\n")]
    try DurableFile.append(line, to: path, waits: false)
  }

  /// Returns when all lines so far would outlive a power cut: a checkpoint never knows of more steps.
  func synchronize() throws { try DurableFile.append([], to: path) }
}
