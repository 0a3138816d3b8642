import ContentHashing
import DecodeStage
import Deduplication
import DurableFiles
import FoundationEssentials
import PairDataset
import PipelineCore
import ShardMaintenance

/// Copies the pairs of shards into others without the duplicates among them.
///
/// Three passes: the pictures are looked at, batch by batch of 1,000 pairs, and what is seen of them is
/// durable; all are judged in order; the samples that stay are copied byte for byte, with the rows of
/// tables beside the shards. Everything grows in `OUT.part`, from which `OUT` comes in one step. The same command
/// goes on after a kill or a full disk; the same shards and options give the same bytes on any number of cores.
///
/// A pair whose picture does not decode is kept, unless its bytes are those of an earlier one: whether it
/// is of use is for others to decide. Samples without a picture are passed over, as everywhere.
public enum ShardDeduplicator {
  /// What is under way.
  public enum Progress: Sendable {
    case examined(Int)
    case judged(Int, of: Int)
    case copied(Int, kept: Int, of: Int)
  }

  /// - Parameters:
  ///   - shards: In order; Pairloom's or any WebDataset's.
  ///   - out: A folder that is new or empty, or that the same command has made.
  ///   - options: What counts as a duplicate, and how the new shards are cut.
  ///   - onProgress: Told of every pair in every pass.
  /// - Returns: What was written, or is there already.
  /// - Throws: ``ShardDeduplicationError``, what is wrong with a shard, what the disk refuses.
  public static func deduplicate(
    _ shards: [String], to out: String, options: ShardDeduplicationOptions,
    onProgress: (Progress) throws -> Void = { _ in }
  ) throws -> ShardDeduplicationOutcome {
    let out = Resharder.trimmed(out)
    let inputs = try inputs(shards, options.rules)
    let settings = try options.settings()
    if let done = try finished(out, inputs + settings) {
      // A kill between publishing and cleaning leaves what it was made from.
      if DurableFile.exists(out + ".part") {
        try WorkFolder(out + ".part", reading: shards).remove()
      }
      return done
    }
    let folder = try WorkFolder(out + ".part", reading: shards)
    try folder.bind(inputs: inputs)
    try folder.bind(settings: settings)
    let count = try ShardExamination(shards: shards, folder: folder, options: options)
      .run { try onProgress(.examined($0)) }
    let fates = try ShardJudgement(folder: folder, options: options)
      .run { try onProgress(.judged($0, of: count)) }
    let table = FateTable(
      shards: shards, survivors: try pairs(Set(fates.values.compactMap(\.drop.survivor)), folder))
    let samples = try ShardSamples.choose(in: folder, fates, table, options)
    let part = try folder.clearedOutput()
    let recipe = (["dedup"] + (inputs + settings).map { "\($0.key) \($0.value)" })
      .joined(separator: "\n")
    let selection = ShardSelection(
      shards: shards, folder: folder, count: count, options: options, fates: fates, table: table,
      shown: samples.rows)
    let written = try selection.write(
      to: part, recipeSHA256: ContentHash.sha256Hex(Array(recipe.utf8))
    ) { try onProgress(.copied($0, kept: $1, of: count)) }
    try samples.write(
      to: part, pictures: written.pictures, in: folder.pictures,
      captions: try pairs(samples.rows, folder).mapValues(\.caption),
      by: ThumbnailMaker(worker: options.worker))
    var outcome = written.outcome
    outcome.groups = groups(fates, table)
    try write(outcome, inputs + settings, to: part)
    try folder.publish(as: out)
    return outcome
  }

  /// What is known of the shards: their names and sizes, in order.
  static func inputs(
    _ shards: [String], _ rules: DuplicateRules
  ) throws -> [(key: String, value: String)] {
    let sizes = try shards.map { path in
      "\(path.split(separator: "/").last ?? "") \(try DurableFile.size(of: path))"
    }
    // What was looked at depends on it, too.
    return [("shards", sizes.joined(separator: ", ")), ("quality", rules.bestColumn ?? "pixels")]
  }

  /// The pairs of some rows.
  private static func pairs(_ rows: Set<Int>, _ folder: WorkFolder) throws -> [Int: ExaminedPair] {
    var found: [Int: ExaminedPair] = [:]
    for batch in Set(rows.map { $0 / ShardExamination.batchRows }).sorted() {
      for pair in try folder.pairs(batch) where rows.contains(pair.row) { found[pair.row] = pair }
    }
    return found
  }

  /// Groups that are named in the outcome.
  private static let mostGroups = 12

  private static func groups(
    _ fates: [Int: ShardFate], _ table: FateTable
  ) -> [ShardDeduplicationOutcome.Group] {
    struct Place: Hashable {
      var row: Int?
      var uid: String
      var source: String
    }
    let sizes = Dictionary(
      fates.values.map { fate in
        (
          Place(
            row: fate.drop.survivor,
            // What nothing is kept for, as placeholders, is a group by its reason.
            uid: table.survivor(of: fate)?.uid ?? fate.survivorUID ?? fate.drop.reason.rawValue,
            source: fate.source ?? ""), 1
        )
      }, uniquingKeysWith: +)
    let first = sizes.sorted {
      ($1.value, $0.key.row ?? .max, $0.key.source, $0.key.uid)
        < ($0.value, $1.key.row ?? .max, $1.key.source, $1.key.uid)
    }
    return first.prefix(mostGroups).map { place, count in
      let survivor = place.row.flatMap { table.survivors[$0] }
      return ShardDeduplicationOutcome.Group(
        row: place.row, key: survivor?.key ?? place.uid,
        place: survivor.map { table.shardNames[$0.shard] } ?? place.source, dropped: count)
    }
  }

  private static let record = "deduplication.json"

  private static func write(
    _ outcome: ShardDeduplicationOutcome, _ settings: [(key: String, value: String)],
    to folder: String
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let told = try JSONValue.parse([UInt8](try encoder.encode(outcome)))
    let record = JSONValue.object([
      .init("settings", .object(settings.map { .init($0.key, .string($0.value)) })),
      .init("outcome", told),
    ])
    try DurableFile.write(record.serialized + "\n", to: "\(folder)/\(Self.record)")
  }

  /// What an earlier call has made of the same; nil where the folder is new or empty.
  private static func finished(
    _ out: String, _ settings: [(key: String, value: String)]
  ) throws -> ShardDeduplicationOutcome? {
    guard try !DurableFile.names(in: out).isEmpty else { return nil }
    let path = "\(out)/\(record)"
    guard DurableFile.exists(path) else { throw ShardDeduplicationError.outputExists(out) }
    let json = try JSONValue.parse(try DurableFile.read(path))
    try WorkFolder.require(json["settings"] ?? .null, equals: settings, at: out)
    var outcome = try JSONDecoder().decode(
      ShardDeduplicationOutcome.self, from: Data((json["outcome"] ?? .null).serialized.utf8))
    outcome.wasComplete = true
    return outcome
  }
}
