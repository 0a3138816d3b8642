import PipelineCore
import ShardFiltering

/// What `pairloom filter` says of a plan's rules.
struct FilterLines {
  let outcome: ShardFilterOutcome

  /// For a person, in at most 80 columns but for long names.
  var lines: [String] {
    var lines = ["\(outcome.read) pairs", ""]
    lines.append(Self.row("rule", "alone", "kept so far", "of all"))
    for rule in outcome.rules {
      lines.append(
        Self.row(
          rule.name, "\(rule.alone)", "\(rule.remaining)",
          Self.share(rule.remaining, of: outcome.read)))
      let details = [
        rule.threshold.map { "from \(Self.short($0)) on" },
        rule.unknown > 0 ? "no value: \(rule.unknown) pairs, which do not pass" : nil,
      ].compactMap { $0 }
      if !details.isEmpty { lines.append("    " + details.joined(separator: "; ")) }
    }
    func section(_ title: String, _ words: [String]) {
      guard !words.isEmpty else { return }
      lines += ["", title] + words.map { "  \($0)" }
    }
    section("of the scores:", outcome.warnings)
    section(
      "left out, as their columns are not here:", outcome.skipped.map { "\($0.rule): \($0.why)" })
    section("of the plan's model, not applied here:", outcome.notApplied)
    section("different from the plan's model:", outcome.notes)
    lines += ["", outcome.wasComplete ? "made by an earlier command" : "kept: \(outcome.kept)"]
    if outcome.renamed > 0 {
      lines.append("\(outcome.renamed) pairs have another key: their shard had one of the same")
    }
    if let why = outcome.withoutTables { lines.append("no tables were taken along: \(why)") }
    return lines
  }

  /// For a program.
  func json(files: [String]) -> JSONValue {
    .object([
      .init("pairs", .int(outcome.read)), .init("kept", .int(outcome.kept)),
      .init("warnings", .array(outcome.warnings.map { .string($0) })),
      .init(
        "rules",
        .array(
          outcome.rules.map { rule in
            .object(
              [
                .init("rule", .string(rule.name)), .init("alone", .int(rule.alone)),
                .init("remaining", .int(rule.remaining)), .init("unknown", .int(rule.unknown)),
              ] + (rule.threshold.map { [.init("threshold", .number("\($0)"))] } ?? []))
          })),
      .init(
        "skipped",
        .array(
          outcome.skipped.map {
            .object([.init("rule", .string($0.rule)), .init("why", .string($0.why))])
          })), .init("not_applied", .array(outcome.notApplied.map { .string($0) })),
      .init("notes", .array(outcome.notes.map { .string($0) })),
      .init("files", .array(files.map { .string($0) })),
    ])
  }

  private static func row(_ name: String, _ cells: String...) -> String {
    StatusPanel.pad(name, 44)
      + zip(cells, [11, 13, 9]).map { StatusPanel.pad($0, $1, left: true) }.joined()
  }

  static func share(_ part: Int, of whole: Int) -> String {
    Markup.decimal(100 * Double(part) / Double(max(1, whole)), 1) + " %"
  }

  /// A threshold with as many digits as a cosine has any use for.
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : Markup.decimal(value, 5)
  }
}
