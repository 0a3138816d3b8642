import ContentHashing
import DecodeStage
import Deduplication
import DurableFiles
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
    if var done: ShardDeduplicationOutcome = try OutputRecord.finished(
      record, in: out, inputs + settings, reading: shards)
    {
      done.wasComplete = true
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
    try OutputRecord.write(outcome, inputs + settings, to: "\(part)/\(record)")
    try folder.publish(as: out)
    return outcome
  }

  /// What is known of the shards: their names and digests, in order.
  static func inputs(
    _ shards: [String], _ rules: DuplicateRules
  ) throws -> [(key: String, value: String)] {
    [
      ("shards", try OutputSettings.digests(of: shards).joined(separator: ", ")),
      // What was looked at depends on it, too.
      ("quality", rules.bestColumn ?? "pixels"),
    ]
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
}
