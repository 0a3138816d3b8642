import PipelineCore
import SemanticDeduplication

/// What `pairloom dedup --semantic` says at its end.
struct SemanticSummary {
  let outcome: SemanticOutcome
  let rules: SemanticRules
  /// Where the new shards are, without a slash at its end; nil for a plan.
  let folder: String?

  /// For a person.
  var lines: [String] {
    var lines = [
      "\(outcome.duplicates) of \(outcome.rows) pairs are within \(rules.epsilon) of one that stays"
        + " in front of them, in \(outcome.clusters) clusters"
    ]
    let audit = outcome.audit
    if audit.rows > 0 {
      lines.append(
        audit.near == 0
          ? "audit: \(audit.rows) rows held against all others have no near pair"
          : "audit: \(audit.rows) rows held against all others have \(audit.near) near pairs, "
            + Markup.decimal(100 * audit.recall, 1) + " % of them within a cluster")
    }
    if !outcome.groups.isEmpty {
      lines.append("the largest groups:")
      lines += outcome.groups.prefix(5).map { group in
        "  \(group.dropped) for "
          + OneLine.text(group.key.isEmpty ? "row \(group.row)" : group.key, longest: 60)
      }
    }
    guard let folder else { return lines + ["nothing was dropped"] }
    let share = outcome.bytesRead == 0 ? 0 : 100 * outcome.bytesDropped / outcome.bytesRead
    return lines + [
      "\(outcome.kept) of \(outcome.read) pairs kept in \(outcome.shards.count)"
        + (outcome.shards.count == 1 ? " shard" : " shards")
        + ", saved: \(ByteCount.words(outcome.bytesDropped)) (\(share) %)",
      "every pair's fate: \(folder)/\(SemanticTable.name); look at \(folder)/report.html",
    ] + (outcome.wasComplete ? ["made by an earlier command"] : []) + ["\(folder)/dataset.json"]
  }

  /// For a program.
  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("rows", .int(outcome.rows)), .init("duplicates", .int(outcome.duplicates)),
      .init("clusters", .int(outcome.clusters)),
      .init(
        "audit",
        .object([
          .init("rows", .int(outcome.audit.rows)), .init("near", .int(outcome.audit.near)),
          .init("found", .int(outcome.audit.found)),
        ])),
      .init(
        "groups",
        .array(
          outcome.groups.map { group in
            .object([
              .init("row", .int(group.row)), .init("key", .string(group.key)),
              .init("dropped", .int(group.dropped)),
            ])
          })),
    ]
    if let folder {
      members += [
        .init("dataset", .string(folder + "/dataset.json")), .init("read", .int(outcome.read)),
        .init("kept", .int(outcome.kept)), .init("bytes_read", .int(outcome.bytesRead)),
        .init("bytes_dropped", .int(outcome.bytesDropped)),
        .init("shards", .array(outcome.shards.map { .string("\(folder)/\($0)") })),
      ]
    }
    return .object(members)
  }
}
