import DurableFiles
import Foundation
import TrainingLedger

/// Where a training run stands, by its ledger and its log: `pairloom status OUT`.
struct TrainingStatus: Encodable {
  var attempts: [TrainingAttempt]
  var checkpoints: [TrainingCheckpoint]
  /// Steps done.
  var step: Int
  var steps: Int?
  /// The last line of the log, by name.
  var metrics: [String: Double]
  /// The figures of the last evaluation, and its step.
  var evaluation: [String: Double]
  var evaluatedAt: Int?

  private var history = TrainingHistory()

  enum CodingKeys: String, CodingKey {
    case attempts, checkpoints, step, steps, metrics, evaluation, evaluatedAt
  }

  /// Nil for a folder that no training run has a ledger in.
  ///
  /// - Throws: `TrainingLedgerError`, `FileError`.
  init?(folder: String) throws {
    guard let ledger = try TrainingLedger.open(folder: folder, making: false) else { return nil }
    attempts = try ledger.settledAttempts(now: CheckpointSurvey.now())
    checkpoints = try ledger.checkpoints()
    for line in try TrainingLine.lines(in: folder) { history.add(line) }
    step = max(history.lastStep, attempts.last?.toStep ?? 0)
    steps = (attempts.taken ?? attempts.last)?.facts["steps"].flatMap { Int($0) }
    metrics = history.line?.values ?? [:]
    evaluation = history.evaluation?.evaluation ?? [:]
    evaluatedAt = history.evaluation?.step
  }

  var isRunning: Bool { attempts.last?.outcome == .running }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var lines: [String] {
    let last = attempts.last
    var history = self.history
    history.advance(to: step)
    let seconds = Double((last?.seenAt ?? 0) - (last?.startedAt ?? 0)) / 1_000
    var lines = TrainingPanel(
      history: history, steps: steps ?? step, ranks: Int(last?.facts["ranks"] ?? "") ?? 1,
      fromStep: last?.fromStep ?? 0, elapsed: seconds, checkpoint: nil
    ).lines
    lines += ["", "attempts"]
    lines += attempts.map { attempt in
      let error = attempt.error.map { ": " + OneLine.text($0, longest: 120) } ?? ""
      return "  \(attempt.number)  \(TrainingReport.moment(attempt.startedAt))  steps "
        + "\(attempt.fromStep ?? 0) … \(attempt.toStep ?? 0)  \(attempt.outcome.rawValue)\(error)"
    }
    let kept = checkpoints.filter { $0.removedAt == nil }
    lines += ["checkpoints: \(kept.count) kept, \(checkpoints.count - kept.count) rotated away"]
    lines += kept.map { "  \($0.file)  step \($0.step)  sha256 \($0.sha256)" }
    for (key, label) in [
      ("data", "data"), ("dataset_sha256", "its sha256"), ("manifest_sha256", "manifest's sha256"),
    ] {
      if let fact = (attempts.taken ?? last)?.facts[key] {
        lines.append("\(label): \(OneLine.text(fact, longest: 200))")
      }
    }
    if let last { lines.append(TrainingReport.words(last)) }
    return lines
  }

  /// In one line.
  var line: String {
    "step \(step)\(steps.map { "/\($0)" } ?? "")"
      + (metrics["loss"].map { "  loss \(Markup.decimal($0, 4))" } ?? "")
      + "  \(attempts.last?.outcome.rawValue ?? "not begun")"
  }
}
