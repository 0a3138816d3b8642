import DurableFiles
import EventFiles

/// The tags under which a run's numbers stand in TensorBoard.
package struct TrainingEvents: Sendable {
  private let file: EventFile

  /// - Parameters:
  ///   - folder: The run's.
  ///   - step: The steps done before.
  ///   - time: Seconds since 1970.
  /// - Throws: `FileError`.
  init(folder: String, after step: Int, time: Double) throws(FileError) {
    file = try EventFile(folder: folder + "/tensorboard", after: step, time: time)
  }

  func add(_ line: TrainingLine, time: Double) throws(FileError) {
    try file.add(Self.tagged(line), step: line.step, time: time)
  }

  /// `train/loss`, `train/lr`, `train/grad_norm`, `train/pairs_per_s`, …, `time/data`, …, `eval/retrieval/auc`, ….
  package static func tagged(_ line: TrainingLine) -> [String: Double] {
    var tagged: [String: Double] = [:]
    for (name, value) in line.values where name != "samples" { tagged["train/" + name] = value }
    for (name, value) in line.shares { tagged["time/" + name] = value }
    for (name, value) in line.evaluation { tagged["eval/" + name] = value }
    return tagged
  }
}
