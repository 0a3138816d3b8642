import Foundation

/// A training run's state for a terminal: a few lines that take each other's place.
package struct TrainingPanel {
  var history: TrainingHistory
  var steps: Int
  var ranks: Int
  /// Steps done before this attempt.
  var fromStep: Int
  /// Seconds since its first step began.
  var elapsed: Double
  /// The newest checkpoint: its step, and seconds since it was found.
  var checkpoint: (step: Int, secondsAgo: Double)?

  package init(
    history: TrainingHistory, steps: Int, ranks: Int, fromStep: Int, elapsed: Double,
    checkpoint: (step: Int, secondsAgo: Double)?
  ) {
    self.history = history
    self.steps = steps
    self.ranks = ranks
    self.fromStep = fromStep
    self.elapsed = elapsed
    self.checkpoint = checkpoint
  }

  package var lines: [String] {
    var lines = [progress]
    guard let line = history.line else { return lines + ["waiting for the first line of the log"] }
    lines.append(numbers(line))
    if !line.shares.isEmpty { lines.append(time(line.shares)) }
    if let evaluation = history.evaluation { lines.append(figures(evaluation)) }
    var last: [String] = []
    if let checkpoint {
      last.append(
        "checkpoint of step \(Markup.grouped(checkpoint.step)), "
          + "\(StatusPanel.duration(checkpoint.secondsAgo)) ago")
    }
    if let replaced = line.values["replaced_pairs"], replaced > 0 {
      last.append("\(Int(replaced)) pairs replaced")
    }
    if ranks > 1 { last.append("\(ranks) ranks") }
    return lines + (last.isEmpty ? [] : [last.joined(separator: "  ·  ")])
  }

  private var progress: String {
    let step = history.lastStep
    let share = Double(step) / Double(max(1, steps))
    let filled = Int((share * 30).rounded(.down))
    let bar =
      String(repeating: "█", count: min(30, filled))
      + String(repeating: "░", count: max(0, 30 - filled))
    let left = secondsLeft.map { ", about \(StatusPanel.duration($0)) left" } ?? ""
    return "step \(Markup.grouped(step))/\(Markup.grouped(steps))  \(bar)  "
      + "\(StatusPanel.percent(share))  \(StatusPanel.duration(elapsed))\(left)"
  }

  /// By the pace of this attempt.
  private var secondsLeft: Double? {
    let done = history.lastStep - fromStep
    guard done > 0, steps > history.lastStep else { return nil }
    return elapsed / Double(done) * Double(steps - history.lastStep)
  }

  private func numbers(_ line: TrainingLine) -> String {
    func number(_ key: String, _ format: String, _ label: String) -> String? {
      line.values[key].map { label + String(format: format, $0) }
    }
    return [
      number("loss", "%.4f", "loss ").map { $0 + " " + Self.sparkline(history.curves["loss"]) },
      number("lr", "%.2e", "lr "), number("grad_norm", "%.2f", "gradient "),
      number("logit_scale", "%.1f", "logit scale "),
      line.values["batch_accuracy"].map { "accuracy \(StatusPanel.percent($0))" },
      number("pairs_per_s", "%.0f", "").map { $0 + " pairs/s" },
    ].compactMap { $0 }.joined(separator: "  ")
  }

  /// The last of a curve's buckets as bars of one row.
  package static func sparkline(_ curve: ThinnedCurve?, width: Int = 24) -> String {
    let values = (curve?.buckets ?? []).suffix(width).map(\.mean)
    guard let low = values.min(), let high = values.max(), high > low else { return "" }
    let bars = Array("▁▂▃▄▅▆▇█")
    return String(values.map { bars[min(7, Int(($0 - low) / (high - low) * 8))] })
  }

  private func time(_ shares: [String: Double]) -> String {
    let ordered = TrainingHistory.ordered(shares)
    let textures = Array("█▓▒░▞▪·")
    var bar = ""
    var words: [String] = []
    for (index, part) in ordered.enumerated() {
      let texture = textures[min(index, textures.count - 1)]
      bar += String(repeating: texture, count: max(0, min(30, Int((part.share * 30).rounded()))))
      if part.share >= 0.005 {
        words.append("\(texture) \(part.name) \(StatusPanel.percent(part.share))")
      }
    }
    return "time  \(bar)  " + words.joined(separator: "  ")
  }

  private func figures(_ evaluation: TrainingLine) -> String {
    let names = history.mainFigures.filter { evaluation.evaluation[$0] != nil }.prefix(3)
    let words = names.map { name -> String in
      let now = TrainingHistory.words(name, evaluation.evaluation[name] ?? 0)
      guard let best = history.best[name], best.step != evaluation.step else {
        return "\(name) \(now) (best)"
      }
      return
        "\(name) \(now) (best \(TrainingHistory.words(name, best.value)) at \(Markup.grouped(best.step)))"
    }
    return "evaluated at \(Markup.grouped(evaluation.step)): " + words.joined(separator: "  ")
  }

  /// A line of the log for where no person watches in place.
  package static func line(_ line: TrainingLine, of steps: Int) -> String {
    guard line.evaluation.isEmpty else {
      return "step \(line.step)/\(steps)  evaluated: "
        + line.evaluation.sorted { $0.key < $1.key }
        .map { "\($0.key) \(TrainingHistory.words($0.key, $0.value))" }.joined(separator: "  ")
    }
    let values = line.values
    let (step, samples) = (Double(max(1, line.step)), values["samples"] ?? 0)
    let speed = values["pairs_per_s"] ?? 0
    let left = Double(steps - line.step) * samples / step / max(speed, 1e-9)
    let replaced = values["replaced_pairs"].map { $0 > 0 ? "  \(Int($0)) replaced" : "" } ?? ""
    return String(
      format: "step %d/%d  loss %.4f  lr %.2e  grad %.2f  %.0f pairs/s  waiting %.0f %%  "
        + "exchange %.0f ms  %@ left", line.step, steps, values["loss"] ?? .nan, values["lr"] ?? 0,
      values["grad_norm"] ?? 0, speed, (values["wait_share"] ?? 0) * 100,
      (values["exposed_comm_s"] ?? 0) * 1_000, StatusPanel.duration(left)) + replaced
  }
}
