import DecodeStage
import DurableFiles
import FilterPlans
import PairDataset
import PipelineCore
import ShardDeduplication
import ShardMaintenance
import ShardScoring

/// Writes the new shards and the table of verdicts.
struct FilterSelection {
  let shards: [String]
  let folder: WorkFolder
  let rows: ExtractedRows
  let decision: FilterOutcome
  let options: ShardFilterOptions

  /// The table of every pair's fate.
  static let table = "filter.parquet"
  /// Where a pair was and, if it is kept, is now, or the first rule that it does not pass.
  private static let columns = [
    TableColumn("uid", .text, isOptional: false), TableColumn("key", .text, isOptional: false),
    TableColumn("shard", .text, isOptional: false), TableColumn("rule", .text),
    TableColumn("to_shard", .text), TableColumn("to_key", .text),
  ]

  func write(
    to out: String, recipeSHA256: String, _ review: inout FilterReview,
    _ onProgress: (_ read: Int, _ kept: Int) throws -> Void
  ) throws -> ShardFilterOutcome {
    var uids: [String] = []
    uids.reserveCapacity(decision.pairs)
    try rows.forEachUID { uids.append($0) }
    let shown = review.rows
    let spool = "\(folder.path)/pictures.bytes"
    let pictures = try DurableFileWriter(spool)
    var places: [(row: Int, range: ByteRange)] = []
    var packing = try ShardPacking(shards, into: out, options.cut)
    let verdicts = try PairTableWriter("\(out)/\(Self.table)", columns: Self.columns)
    var row = 0
    for path in shards {
      let name = String(path.split(separator: "/").last ?? "")
      try packing.open(path)
      try ShardReader(path: path).forEachSample { sample in
        guard let picture = sample.picture else { return }
        guard row < decision.pairs else {
          throw ShardDeduplicationError.changed(shard: path, key: sample.key)
        }
        if shown.contains(row) {
          places.append((row, ByteRange(offset: pictures.byteCount, length: picture.data.count)))
          try pictures.write(picture.data)
        }
        var members: [JSONValue.Member] = [
          .init("uid", .string(uids[row])), .init("key", .string(sample.key)),
          .init("shard", .string(name)),
        ]
        if let rule = decision.dropping(row) {
          members.append(.init("rule", .string(decision.yields[rule].name)))
        } else {
          let place = try packing.take(sample, of: path)
          let to = "\(RunFolder.digits(place.shard)).\(options.cut.compression.fileExtension)"
          members += [.init("to_shard", .string(to)), .init("to_key", .string(place.key))]
        }
        try verdicts.append(.object(members))
        row += 1
        try onProgress(row, packing.pairs)
      }
    }
    guard row == decision.pairs else {
      throw ShardDeduplicationError.changed(shard: shards.last ?? "", key: "\(row)")
    }
    try verdicts.finish()
    try pictures.commit()
    let made = try ThumbnailMaker(worker: options.worker)
      .thumbnails(of: places.map(\.range), in: spool)
    review.illustrate(
      Dictionary(
        uniqueKeysWithValues: zip(places, made).compactMap { place, jpeg in
          jpeg.map { (place.row, $0) }
        }))
    var outcome = ShardFilterOutcome(decision, of: options.plan)
    outcome.warnings = rows.sources.scores?.warnings ?? []
    outcome.shards = try packing.finish().map(\.file)
    outcome.renamed = packing.renamed
    outcome.withoutTables = packing.withoutTables
    try packing.describe(read: row, recipeSHA256: recipeSHA256)
    return outcome
  }
}
