import DurableFiles
import FoundationEssentials
import PairDataset
import PipelineCore
import ShardDeduplication
import ShardMaintenance

/// What an output was made from, and what came of it: `semantic.json` in its folder.
struct SemanticRecord {
  private static let name = "semantic.json"

  var facts: [(key: String, value: String)]
  var audited: Int
  var shards: [String]
  var cut: ReshardOptions

  /// All that the output's bytes follow from.
  var settings: [(key: String, value: String)] {
    get throws {
      let sizes = try shards.map { path in
        "\(path.split(separator: "/").last ?? "") \(try DurableFile.size(of: path))"
      }
      return [("command", "dedup --semantic"), ("shards", sizes.joined(separator: ", "))] + facts
        + [
          ("audit", "\(audited)"), ("pairs", "\(cut.maxPairs ?? 0)"),
          ("bytes", "\(cut.maxBytes ?? 0)"), ("compression", cut.compression.rawValue),
        ]
    }
  }

  func write(_ outcome: SemanticOutcome, to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let told = try JSONValue.parse([UInt8](try encoder.encode(outcome)))
    let record = JSONValue.object([
      .init("settings", .object(try settings.map { .init($0.key, .string($0.value)) })),
      .init("outcome", told),
    ])
    try DurableFile.write(record.serialized + "\n", to: "\(folder)/\(Self.name)")
  }

  /// What an earlier call has made of the same; nil where the folder is new or empty.
  ///
  /// - Throws: ``SemanticDeduplicationError/outputExists(_:)`` for a folder of another kind;
  ///   `ShardDeduplicationError` with what differs.
  func finished(_ out: String) throws -> SemanticOutcome? {
    guard try !DurableFile.names(in: out).isEmpty else { return nil }
    let path = "\(out)/\(Self.name)"
    guard DurableFile.exists(path) else { throw SemanticDeduplicationError.outputExists(out) }
    let json = try JSONValue.parse(try DurableFile.read(path))
    try WorkFolder.require(json["settings"] ?? .null, equals: try settings, at: out)
    var outcome = try JSONDecoder().decode(
      SemanticOutcome.self, from: Data((json["outcome"] ?? .null).serialized.utf8))
    outcome.wasComplete = true
    return outcome
  }
}
