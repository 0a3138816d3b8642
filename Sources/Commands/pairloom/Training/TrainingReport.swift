import DurableFiles
import Foundation
package import TrainingLedger

/// A training run told in one self-contained page, without scripts.
package struct TrainingReport {
  var folder: String
  var history: TrainingHistory
  var attempts: [TrainingAttempt]
  var checkpoints: [TrainingCheckpoint]

  package init(
    folder: String, history: TrainingHistory, attempts: [TrainingAttempt],
    checkpoints: [TrainingCheckpoint]
  ) {
    self.folder = folder
    self.history = history
    self.attempts = attempts
    self.checkpoints = checkpoints
  }

  /// Publishes the page.
  func write(to path: String) throws(FileError) { try DurableFile.write(html, to: path) }

  package var html: String {
    let facts = (attempts.taken ?? attempts.last)?.facts ?? [:]
    let sections = [
      section("Loss and rate", charts(["loss", "lr", "grad_norm"])),
      section("Evaluation", evaluation),
      section("Model", charts(["logit_scale", "batch_accuracy", "logit_bias"])),
      section("Speed", charts(["pairs_per_s", "wait_share", "exposed_comm_s"])),
      section("Where the time went", shares),
      section("The run", table([], rows(facts))),
      section("Attempts", attemptTable), section("Checkpoints", checkpointTable),
    ]
    return ReportPage.document(
      title: "Training: \(name)",
      body: header(facts) + sections.joined()
        + "<footer>pairloom train --folder \(Markup.escape(folder))</footer>\n")
  }

  private var name: String { folder.split(separator: "/").last.map(String.init) ?? folder }

  private func header(_ facts: [String: String]) -> String {
    let steps = Int(facts["steps"] ?? "") ?? 0
    var tiles = [("of \(Markup.grouped(steps)) steps", Markup.grouped(history.lastStep))]
    if let loss = history.line?.values["loss"] { tiles.append(("loss", Markup.decimal(loss, 4))) }
    if let speed = history.curves["pairs_per_s"]?.buckets.last {
      tiles.append(("pairs per second", Markup.grouped(Int(speed.mean.rounded()))))
    }
    for figure in history.mainFigures.prefix(3) {
      guard let best = history.best[figure] else { continue }
      tiles.append(
        (
          "best \(figure), step \(Markup.grouped(best.step))",
          TrainingHistory.words(figure, best.value)
        ))
    }
    if let replaced = history.line?.values["replaced_pairs"], replaced > 0 {
      tiles.append(("pairs replaced", Markup.grouped(Int(replaced))))
    }
    let cards = tiles.map {
      "<div class=\"tile\"><b>\(Markup.escape($0.1))</b><span>\(Markup.breakable($0.0))</span></div>"
    }
    return
      "<header><h1>Training: \(Markup.escape(name))</h1><p>\(Markup.escape(summary(facts)))</p>"
      + Markup.wrapped(cards.joined(), class: "tiles") + "</header>\n"
  }

  private func summary(_ facts: [String: String]) -> String {
    let pairs = Int(facts["pairs"] ?? "") ?? 0
    let seen = history.lastStep * (Int(facts["global_batch"] ?? "") ?? 0)
    let state = attempts.last.map { Self.words($0) } ?? ""
    return "\(Markup.grouped(seen)) samples of \(Markup.grouped(pairs)) pairs so far. \(state)"
  }

  private func charts(_ names: [String]) -> String {
    let labels = [
      "lr": "learning rate", "grad_norm": "gradient norm, before clipping",
      "logit_scale": "logit scale", "batch_accuracy": "batch accuracy",
      "pairs_per_s": "pairs per second", "wait_share": "share of time waiting for data",
      "exposed_comm_s": "seconds per step in exchanges",
    ]
    return Markup.wrapped(
      names.map { name in
        history.curves[name].map { TrainingChart.svg($0, name: labels[name] ?? name) } ?? ""
      }.joined(), class: "charts")
  }

  private var evaluation: String {
    let names = history.evaluations.keys.sorted()
    guard !names.isEmpty else { return "" }
    let curves = names.filter { (history.evaluations[$0]?.buckets.count ?? 0) > 1 }
    let charts = curves.map { name in
      history.evaluations[name].map { TrainingChart.svg($0, name: name) } ?? ""
    }
    let rows = names.map { name -> [String] in
      let (last, best) = (history.evaluations[name]?.last, history.best[name])
      return [
        name, last.map { TrainingHistory.words(name, $0.value) } ?? "–",
        last.map { Markup.grouped($0.step) } ?? "–",
        best.map { TrainingHistory.words(name, $0.value) } ?? "–",
        best.map { Markup.grouped($0.step) } ?? "–",
      ]
    }
    return table(["figure", "last", "at step", "best", "at step"], rows)
      + (charts.isEmpty
        ? "" : "<div class=\"charts\" style=\"margin-top:22px\">\(charts.joined())</div>")
  }

  private var shares: String {
    let rows = history.shares.filter { $0.share > 0 }.map { part in
      "<div class=\"bar\"><span>\(Markup.escape(part.name))</span>"
        + "<div><i style=\"width:\(Markup.decimal(100 * part.share, 2))%\"></i></div>"
        + "<b>\(Markup.decimal(100 * part.share, 1)) %</b></div>"
    }
    return Markup.wrapped(rows.joined(), class: "bars")
  }

  private func rows(_ facts: [String: String]) -> [[String]] {
    let labels = [
      ("data", "data"), ("pairs", "pairs"), ("dataset_sha256", "SHA-256 of the data"),
      ("model", "model"), ("model_sha256", "SHA-256 of the model's configuration"),
      ("start_from", "started from"), ("manifest_sha256", "SHA-256 of the manifest"),
      ("seed", "seed"), ("global_batch", "global batch"), ("steps", "steps"), ("ranks", "ranks"),
      ("program", "Pairloom"),
    ]
    return labels.compactMap { key, label in facts[key].map { [label, $0] } }
  }

  private var attemptTable: String {
    table(
      ["attempt", "began", "steps", "lasted", "ended"],
      attempts.map { attempt in
        [
          String(attempt.number), Self.moment(attempt.startedAt),
          "\(attempt.fromStep.map(Markup.grouped) ?? "–") … \(attempt.toStep.map(Markup.grouped) ?? "–")",
          StatusPanel.duration(Double(attempt.seenAt - attempt.startedAt) / 1_000),
          attempt.outcome.rawValue + (attempt.error.map { ": \($0)" } ?? ""),
        ]
      })
  }

  private var checkpointTable: String {
    // A long run has rotated many away.
    table(
      ["file", "step", "size", "SHA-256", "written", ""],
      checkpoints.suffix(40).map { checkpoint in
        [
          checkpoint.file, Markup.grouped(checkpoint.step), TrainLines.bytes(checkpoint.bytes),
          String(checkpoint.sha256.prefix(12)) + "…", Self.moment(checkpoint.writtenAt),
          checkpoint.removedAt == nil ? "kept" : "rotated away",
        ]
      })
  }

  /// How an attempt stands, in a sentence.
  static func words(_ attempt: TrainingAttempt) -> String {
    switch attempt.outcome {
    case .running: "Attempt \(attempt.number) is under way."
    case .done: "Done in attempt \(attempt.number)."
    case .stopped: "Stopped; the same command goes on."
    case .killed: "Attempt \(attempt.number) was killed; the same command goes on."
    case .failed: "Attempt \(attempt.number) failed: \(attempt.error ?? "")"
    }
  }

  /// A moment in UTC, to the second.
  static func moment(_ milliseconds: Int) -> String {
    Date(timeIntervalSince1970: Double(milliseconds / 1_000)).ISO8601Format()
      .replacingOccurrences(of: "T", with: " ").replacingOccurrences(of: "Z", with: " UTC")
  }

  private func section(_ title: String, _ content: String) -> String {
    content.isEmpty ? "" : "<section><h2>\(Markup.escape(title))</h2>\(content)</section>\n"
  }

  private func table(_ columns: [String], _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "" }
    let head =
      columns.isEmpty
      ? ""
      : "<thead><tr>" + columns.map { "<th>\(Markup.escape($0))</th>" }.joined() + "</tr></thead>"
    let body = rows.map { row in
      "<tr>"
        + row.map { cell in
          // A number or a moment is no use in two lines; a path or an error must not widen the page.
          cell.count <= 24
            ? "<td style=\"white-space:nowrap\">\(Markup.escape(cell))</td>"
            : "<td style=\"overflow-wrap:anywhere\">\(Markup.breakable(cell))</td>"
        }.joined() + "</tr>"
    }
    return Markup.wrapped("<table>\(head)<tbody>\(body.joined())</tbody></table>", class: "scroll")
  }
}
