import CLIPTraining
import DurableFiles
import Foundation
import PipelineCore
import SeededRandom

/// What the demo prints at its end, and its report.html.
struct DemoReport {
  var folder: String
  var status: RunStatus
  var findings: DemoFindings
  var exam: SceneExam
  var seconds: Double

  /// The lines for the screen: funnel, filter, zero-shot table.
  var summary: [String] {
    var lines = ["", "From rows to pairs"]
    for step in status.funnel { lines.append(row(step.name, String(step.pairs))) }
    lines += ["", "Dropped, by reason"]
    for (reason, count) in status.failures.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append(row(reason, String(count)))
    }
    lines.append(row("not as the world meant it", String(findings.surprises.count)))
    lines += findings.surprises.prefix(5).map { "    " + $0 }
    lines += ["", "The filter against the known mismatches", row("AUC", number(findings.auc, 4))]
    lines += [
      "", "Which of 192 captions is the picture's (fresh renderings)",
      "  " + pad("", 28) + "  top-1     top-5",
    ]
    for (name, top1, top5) in table {
      lines.append("  " + pad(name, 28) + left(percent(top1), 8) + "  " + left(percent(top5), 8))
    }
    lines += ["", "report: \(folder)/report.html"]
    return lines
  }

  /// One JSON object with the demo's figures.
  func json() throws -> String {
    struct Figures: Encodable {
      var rows, kept: Int
      var auc, zeroshot_top1, seconds: Double
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(
      decoding: try encoder.encode(
        Figures(
          rows: status.pairs("rows"), kept: status.pairs("kept"), auc: findings.auc,
          zeroshot_top1: exam.served.top1, seconds: (seconds * 10).rounded() / 10)),
      as: UTF8.self)
  }

  /// Writes report.html.
  func write() throws {
    var input = RunReport.Input()
    input.title = "Pairloom demo"
    input.summary =
      "A generated world of small scenes, woven into shards, filtered by CLIP score, and a fresh "
      + "CLIP trained on what was kept."
    input.headlines = [
      ("pairs kept", Markup.grouped(status.pairs("kept"))),
      ("filter's AUC", number(findings.auc, 3)),
      ("exact caption of 192", percent(exam.served.top1)),
      ("end to end", StatusPanel.duration(seconds)),
    ]
    input.funnel = status.funnel.map { ($0.name, $0.pairs) }
    input.failures = status.failures.map { ($0.key, $0.value) }
    input.scores = ReportScores(
      values: findings.scored.map(\.score), matched: findings.scored.map(\.isMatched),
      threshold: findings.threshold,
      note: "Cosine of picture and caption by the bundled scorer; the truth was hidden from it.")
    let metrics = String(
      decoding: try DurableFile.read(folder + "/clip/metrics.jsonl"), as: UTF8.self)
    input.curves = [ReportCurve(name: "loss", metricsJSONL: metrics, key: "loss")]
    input.tables = [
      ReportTable(
        title: "Which of 192 captions is the picture's",
        note: "Fresh renderings of single shapes; unseen combinations were never served.",
        columns: ["", "top-1", "top-5"],
        rows: table.map { [$0.name, percent($0.top1), percent($0.top5)] })
    ]
    input.sheets = try sheets()
    input.footer = "pairloom demo --folder \(folder)"
    try RunReport(input).write(to: folder + "/report.html")
  }

  private var table: [(name: String, top1: Double, top5: Double)] {
    [
      ("combinations served", exam.served.top1, exam.served.top5),
      ("combinations never served", exam.unseen.top1, exam.unseen.top5),
      ("the untrained model", exam.untrained.top1, exam.untrained.top5),
      ("chance", exam.chance, exam.chance * 5),
    ]
  }

  /// Contact sheets of what was kept and of what was dropped, by reason.
  private func sheets() throws -> [ReportSheet] {
    let perSheet = 36
    var random = RandomStream(seed: 1)
    let shuffled = random.permutation(of: findings.scored.count).map { findings.scored[$0] }
    let kept = Array(shuffled.filter(\.isKept).prefix(perSheet))
    let wrong = Array(shuffled.filter { !$0.isKept && !$0.isMatched }.prefix(perSheet))
    let lost = Array(shuffled.filter { !$0.isKept && $0.isMatched }.prefix(perSheet))
    let slipped = Array(shuffled.filter { $0.isKept && !$0.isMatched }.prefix(perSheet))
    let pictures = try findings.pictures(of: Set((kept + wrong + lost + slipped).map(\.key)))
    func sheet(_ title: String, _ note: String, _ pairs: [DemoFindings.ScoredPair]) -> ReportSheet {
      ReportSheet(
        title: title, note: note,
        cards: pairs.map {
          ReportSheet.Card(image: pictures[$0.key], caption: $0.caption, score: $0.score)
        })
    }
    let scoredSheets = [
      sheet("Kept", "A random choice.", kept),
      sheet("Dropped: low_score, caption wrong", "What the filter is for.", wrong),
      sheet("Dropped: low_score, caption right", "The filter's price.", lost),
      sheet("Kept although the caption is wrong", "What slipped through.", slipped),
    ]
    let others = findings.dropped.sorted { $0.key < $1.key }.map { reason, rows in
      ReportSheet(
        title: "Dropped: \(reason)",
        note: "\(rows.count) rows; they have no picture in the shards.",
        cards: rows.prefix(12).map {
          ReportSheet.Card(image: nil, caption: $0.caption, note: $0.note)
        })
    }
    return (scoredSheets + others).filter { !$0.cards.isEmpty }
  }

  private func row(_ name: String, _ value: String) -> String {
    "  " + pad(name, 28) + left(value, 8)
  }
  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
  private func left(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  private func percent(_ share: Double) -> String { StatusPanel.percent(share) }
  private func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
