import ContentHashing
import Deduplication
import DurableFiles
import PairDataset
import PictureIndex
import PipelineCore
import ShardMaintenance

/// Writes the new shards, the table of fates and the index.
struct ShardSelection {
  let shards: [String]
  let folder: WorkFolder
  /// Pairs that were looked at.
  let count: Int
  let options: ShardDeduplicationOptions
  let fates: [Int: ShardFate]
  let table: FateTable
  /// Rows whose pictures are wanted for a person to look at.
  let shown: Set<Int>

  /// What was written, without what the caller knows better.
  struct Written {
    var outcome = ShardDeduplicationOutcome()
    /// Where the shown pictures lie in ``WorkFolder/pictures``.
    var pictures: [Int: ByteRange] = [:]
  }

  func write(
    to out: String, recipeSHA256: String, _ onProgress: (_ read: Int, _ kept: Int) throws -> Void
  ) throws -> Written {
    var written = Written()
    var packing = try ShardPacking(shards, into: out, options.cut)
    let rows = try PairTableWriter("\(out)/\(FateTable.name)", columns: FateTable.columns)
    let index = try PictureIndex("\(out)/pictures.index", isWritable: true)
    let pictures = try DurableFileWriter(folder.pictures)
    var batch: [ExaminedPair] = []
    var row = 0
    for (number, path) in shards.enumerated() {
      try packing.open(path)
      try ShardReader(path: path).forEachSample { sample in
        if row < count, row % ShardExamination.batchRows == 0 {
          try Self.append(batch, without: fates, to: index)
          batch = try folder.pairs(row / ShardExamination.batchRows)
        }
        let place = row % ShardExamination.batchRows
        guard row < count, place < batch.count, batch[place].key == sample.key,
          batch[place].shard == number
        else { throw ShardDeduplicationError.changed(shard: path, key: sample.key) }
        let pair = batch[place]
        let fate = fates[row]
        let bytes = sample.members.reduce(0) { $0 + $1.data.count }
        written.outcome.bytesRead += bytes
        if let fate {
          written.outcome.bytesDropped += bytes
          written.outcome.dropped[fate.drop.reason.rawValue, default: 0] += 1
          try rows.append(table.row(pair, fate, at: nil))
        } else {
          let place = try packing.take(sample, of: path)
          let name = "\(RunFolder.digits(place.shard)).\(options.cut.compression.fileExtension)"
          try rows.append(table.row(pair, nil, at: (name, place.key)))
          if let fault = pair.fault {
            written.outcome.undecoded[fault.reason.rawValue, default: 0] += 1
          }
        }
        if shown.contains(row), let picture = sample.picture {
          written.pictures[row] = ByteRange(
            offset: pictures.byteCount, length: picture.data.count)
          try pictures.write(picture.data)
        }
        row += 1
        try onProgress(row, packing.pairs)
      }
    }
    guard row == count else {
      throw ShardDeduplicationError.changed(shard: shards.last ?? "", key: "\(row)")
    }
    try Self.append(batch, without: fates, to: index)
    try pictures.commit()
    try rows.finish()
    let summaries = try packing.finish()
    try index.compact()
    written.outcome.shards = summaries.map(\.file)
    written.outcome.read = row
    written.outcome.kept = packing.pairs
    written.outcome.renamed = packing.renamed
    written.outcome.withoutTables = packing.withoutTables
    try packing.describe(read: row, recipeSHA256: recipeSHA256)
    return written
  }

  private static func append(
    _ batch: [ExaminedPair], without fates: [Int: ShardFate], to index: PictureIndex
  ) throws {
    guard let first = batch.first else { return }
    try index.append(
      batch.filter { fates[$0.row] == nil }.map(\.entry),
      batch: first.row / ShardExamination.batchRows)
  }
}
