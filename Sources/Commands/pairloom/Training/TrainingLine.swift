import DistributedTraining
import DurableFiles
import Foundation

/// One line of `metrics.jsonl`, as those who watch a run read it: numbers by name.
package struct TrainingLine: Sendable, Equatable {
  package var step: Int
  /// Numbers of the steps since the line before; empty in a line of an evaluation.
  ///
  /// `loss`, `lr`, `grad_norm`, `pairs_per_s` and so on, and the task's scalars under their own names.
  package var values: [String: Double] = [:]
  /// Shares of the time by what it went into.
  package var shares: [String: Double] = [:]
  /// An evaluation's figures; a line that has some tells nothing else that is new.
  package var evaluation: [String: Double] = [:]

  /// Nil for what is no whole line, such as the end that a killed run has torn.
  package init?(json line: some Collection<UInt8>) {
    // A torn line is no error: the run that wrote it goes on in the next.
    guard
      let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
      let step = object["step"] as? Int
    else { return nil }
    self.step = step
    evaluation = Self.numbers(object["evaluation"])
    guard evaluation.isEmpty else { return }
    shares = Self.numbers(object["time"]).merging(Self.numbers(object["shares"])) { $1 }
    values = Self.numbers(object).merging(Self.numbers(object["scalars"])) { own, _ in own }
    values["step"] = nil
  }

  /// As the log writes it.
  init(_ metrics: StepMetrics) {
    let encoder = JSONEncoder()
    // A loss that is no number ends the run; JSON has no word for it.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let json = try? encoder.encode(metrics), let line = TrainingLine(json: json) else {
      preconditionFailure("metrics that are no JSON: \(metrics)")
    }
    self = line
  }

  private static func numbers(_ object: Any?) -> [String: Double] {
    (object as? [String: Any] ?? [:]).compactMapValues { value in
      value as? Double
    }
  }

  /// Every whole line of a run's log, in order; none where there is no log.
  static func lines(in folder: String) throws -> [TrainingLine] {
    let path = folder + "/metrics.jsonl"
    return DurableFile.exists(path) ? lines(of: try DurableFile.read(path)) : []
  }

  /// Every whole line of a metrics file, in order.
  package static func lines(of bytes: [UInt8]) -> [TrainingLine] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { TrainingLine(json: $0) }
  }
}
