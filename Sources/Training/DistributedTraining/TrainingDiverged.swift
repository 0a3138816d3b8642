import DurableFiles
import FoundationEssentials

/// The loss or its gradient is no longer a number.
public struct TrainingDiverged: Error, Equatable, Sendable, CustomStringConvertible {
  public var step: Int
  public var loss: Float
  public var gradientNorm: Float
  public var learningRate: Float
  /// That of the manifest.
  public var baseLearningRate: Double
  /// Parameters whose summed gradients hold what is no number, in the order in which the backward pass
  /// comes to them.
  public var gradients: [String] = []
  /// Parameters that hold what is no number themselves.
  public var parameters: [String] = []
  /// What the batch's pairs are called, by rank.
  public var keys: [[String]] = []
  /// Where all of it stands.
  public var report: String?
  /// The newest checkpoint, which is good, and its step.
  public var checkpoint: String?
  public var checkpointStep: Int?

  public init(
    step: Int, loss: Float, gradientNorm: Float, learningRate: Float, baseLearningRate: Double
  ) {
    self.step = step
    self.loss = loss
    self.gradientNorm = gradientNorm
    self.learningRate = learningRate
    self.baseLearningRate = baseLearningRate
  }

  public var description: String {
    var text =
      "step \(step): the loss is \(loss), the gradient's norm \(gradientNorm), at a learning rate of "
      + "\(learningRate). "
    if !parameters.isEmpty { text += "Parameters that are no numbers: \(Self.few(parameters)). " }
    if !gradients.isEmpty {
      text +=
        "Gradients that are no numbers, the first in the backward pass first: "
        + "\(Self.few(gradients)). "
    }
    let keys = self.keys.flatMap { $0 }
    if !keys.isEmpty { text += "Pairs of the batch: \(Self.few(keys)). " }
    if let report { text += "All of it is in \(report). " }
    if let checkpoint, let checkpointStep {
      text += "The last good checkpoint is \(checkpoint) (step \(checkpointStep)). "
    } else {
      text += "There is no checkpoint yet. "
    }
    return text + "The same command would end here again: train into another folder, with --set "
      + "optimizer.learning_rate=\(baseLearningRate / 2) or less, a larger optimizer.warmup_steps, or "
      + "optimizer.clip_norm=1"
      + (checkpoint.map { "; --set start_from=\($0) begins with the weights of that checkpoint." }
        ?? ".")
  }

  private static func few(_ names: [String]) -> String {
    let shown = names.prefix(3).joined(separator: ", ")
    return names.count > 3 ? shown + " and \(names.count - 3) more" : shown
  }

  /// The name of the report in a run's folder.
  static let fileName = "diverged.json"

  private struct Report: Encodable {
    var step: Int
    var loss, gradient_norm, learning_rate: String
    var gradients, parameters: [String]
    var keys: [[String]]
    var checkpoint: String?
    var checkpoint_step: Int?
  }

  /// Writes all of it as JSON; numbers are texts, as JSON knows no NaN.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let report = Report(
      step: step, loss: "\(loss)", gradient_norm: "\(gradientNorm)",
      learning_rate: "\(learningRate)", gradients: gradients, parameters: parameters, keys: keys,
      checkpoint: checkpoint, checkpoint_step: checkpointStep)
    try DurableFile.write([UInt8](try encoder.encode(report)) + [UInt8(ascii: "\n")], to: path)
  }
}
