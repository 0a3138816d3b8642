import Deduplication
import PipelineCore
import ShardDeduplication

/// What `pairloom dedup --plan` says.
struct DedupPlanLines {
  let plan: DuplicatePlan
  let rules: DuplicateRules

  /// For a person, in at most 80 columns.
  var lines: [String] {
    var lines = [
      "\(plan.pairs) pairs"
        + (plan.undecoded == 0
          ? "" : ", \(plan.undecoded) of them with a picture that does not decode"),
      "the same bytes as an earlier pair: \(plan.sameBytes)",
      "", "near to an earlier one that stays, beyond those:", "",
      Self.row(["radius", "by pHash alone", "after the finer check", "of all pairs"]),
    ]
    lines += plan.radii.map { radius in
      Self.row([
        "\(radius.radius)" + (radius.radius == rules.radius && rules.kind == .near ? " *" : "  "),
        "\(radius.byKey)", "\(radius.confirmed)",
        Self.share(radius.confirmed + plan.sameBytes, of: plan.pairs),
      ])
    }
    let dropped = plan.dropped.values.reduce(0, +)
    lines += ["", "with these options \(dropped) of \(plan.pairs) would go:"]
    lines += plan.dropped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "  \($0.key): \($0.value)" }
    lines += ["nothing was dropped"]
    return lines
  }

  /// For a program.
  var json: JSONValue {
    .object([
      .init("pairs", .int(plan.pairs)), .init("undecoded", .int(plan.undecoded)),
      .init("same_bytes", .int(plan.sameBytes)),
      .init(
        "radii",
        .array(
          plan.radii.map { radius in
            .object([
              .init("radius", .int(radius.radius)), .init("by_key", .int(radius.byKey)),
              .init("confirmed", .int(radius.confirmed)),
            ])
          })),
      .init("dropped", DedupSummary.object(plan.dropped)),
    ])
  }

  private static func row(_ cells: [String]) -> String {
    zip(cells, [8, 18, 25, 16]).map { StatusPanel.pad($0, $1, left: true) }.joined()
  }

  private static func share(_ part: Int, of whole: Int) -> String {
    Markup.decimal(100 * Double(part) / Double(max(1, whole)), 1) + " %"
  }
}
