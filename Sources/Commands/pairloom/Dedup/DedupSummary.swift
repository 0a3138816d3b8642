import PipelineCore
import ShardDeduplication

/// What `pairloom dedup` says at its end.
struct DedupSummary {
  let outcome: ShardDeduplicationOutcome
  /// Without a slash at its end.
  let folder: String

  /// For a person.
  var lines: [String] {
    var lines: [String] = []
    if outcome.wasComplete { lines.append("\(folder) is complete already; nothing was done again") }
    if let why = outcome.withoutTables { lines.append("tables were not taken along: \(why)") }
    if outcome.renamed > 0 {
      lines.append(
        "\(outcome.renamed) pairs have another key: their new shard had one of the same already")
    }
    let undecoded = outcome.undecoded.values.reduce(0, +)
    if undecoded > 0 {
      lines.append(
        "\(undecoded) kept pairs have a picture that does not decode (\(Self.words(outcome.undecoded)))"
      )
    }
    let dropped = outcome.read - outcome.kept
    lines.append(
      "\(outcome.kept) of \(outcome.read) pairs kept in \(outcome.shards.count)"
        + (outcome.shards.count == 1 ? " shard" : " shards") + ", \(dropped) dropped"
        + (dropped == 0 ? "" : " (\(Self.words(outcome.dropped)))"))
    if dropped > 0 {
      let share = outcome.bytesRead == 0 ? 0 : 100 * outcome.bytesDropped / outcome.bytesRead
      lines.append("saved: \(ByteCount.words(outcome.bytesDropped)) (\(share) %)")
    }
    if !outcome.groups.isEmpty {
      lines.append("the largest groups:")
      lines += outcome.groups.prefix(5).map { group in
        "  \(group.dropped) dropped for \(OneLine.text(group.key, longest: 60))"
          + (group.place.isEmpty ? "" : " of \(OneLine.text(group.place, longest: 80))")
      }
    }
    lines.append("look at \(folder)/report.html; every pair's fate: \(folder)/duplicates.parquet")
    return lines
  }

  /// For a program.
  var json: JSONValue {
    .object([
      .init("dataset", .string(folder + "/dataset.json")), .init("read", .int(outcome.read)),
      .init("kept", .int(outcome.kept)), .init("dropped", Self.object(outcome.dropped)),
      .init("undecoded", Self.object(outcome.undecoded)),
      .init("bytes_read", .int(outcome.bytesRead)),
      .init("bytes_dropped", .int(outcome.bytesDropped)),
      .init("renamed", .int(outcome.renamed)),
      .init("shards", .array(outcome.shards.map { .string("\(folder)/\($0)") })),
      .init(
        "groups",
        .array(
          outcome.groups.map { group in
            .object([
              .init("key", .string(group.key)), .init("place", .string(group.place)),
              .init("dropped", .int(group.dropped)),
            ])
          })),
      .init("was_complete", .bool(outcome.wasComplete)),
    ])
  }

  static func object(_ counts: [String: Int]) -> JSONValue {
    .object(counts.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })
  }

  static func words(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }
}
