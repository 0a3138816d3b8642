import ContentHashing
import DecodeStage
import DurableFiles
import ImageCodec
import PairDataset
import PipelineCore

/// The pairs of a shard that was taken over, in the order of its tar.
struct TarContents {
  struct Picture {
    var key: String
    /// The ending of the picture's name.
    var format: String
    var bytes: Int
    /// What the pair's JSON tells; nil where the table tells of it.
    var row: ForeignRow?
  }

  var pictures: [Picture] = []
  /// Pairs that the shard does not hold any more, with the reason: no readable picture, or one that
  /// has not the hash that its row has.
  var refused: [String: (reason: DropReason, words: String)] = [:]
  var hasTexts = false
  /// Nil where nothing was left of it.
  var summary: ShardSummary?

  /// Reads the shard `name` in `folder`, writes its index, and takes out what no run may hold.
  ///
  /// Reads the tar four times, in memory of a pair and its keys. Where a pair is taken out the tar is
  /// written anew under its name, and what it was linked to stays as it is.
  ///
  /// - Parameters:
  ///   - name: Of the shard in the run, without its ending.
  ///   - folder: The run's folder of shards.
  ///   - rows: Successes of the table by key.
  ///   - flag: Calls the work off.
  ///   - look: Given each picture of a row.
  /// - Throws: `ShardError` for a tar that is cut, damaged, or no tar.
  init(
    _ name: String, in folder: String, rows: [String: ForeignRow], _ flag: CancellationFlag,
    look: (ForeignRow, [UInt8]) -> Void
  ) throws {
    let path = "\(folder)/\(name).tar"
    try DurableFile.remove(ShardIndexFile.path(ofShard: path))
    try ShardIndexFile.rebuild(ofShard: path)
    var known: Set<String> = []
    var isRewritten = false
    try ShardReader(path: path).forEach { pair in
      if pictures.count % 256 == 0 { try flag.check() }
      if pair.hasText { hasTexts = true }
      guard known.insert(pair.key).inserted else {
        isRewritten = true  // its first pair stays
        return
      }
      let row = rows[pair.key]
      if let fault = Self.fault(in: pair, row) {
        refused[pair.key] = fault
        isRewritten = true
        return
      }
      if let row { look(row, pair.image) }
      pictures.append(
        Picture(
          key: pair.key, format: pair.imageExtension, bytes: pair.image.count,
          row: row == nil
            ? ForeignRow(metadata: pair.metadata, key: pair.key, caption: pair.caption) : nil))
    }
    if isRewritten {
      summary = try rewrite(name, in: folder)
    } else if !pictures.isEmpty {
      summary = ShardSummary(
        file: "\(name).tar", pairs: pictures.count, bytes: try DurableFile.size(of: path),
        sha256: try Self.digest(of: path, flag))
    }
    if summary == nil { try Self.remove(name, in: folder) }
  }

  /// Takes a shard out of a run's folder.
  static func remove(_ name: String, in folder: String) throws(FileError) {
    let path = "\(folder)/\(name).tar"
    try DurableFile.remove(path)
    try DurableFile.remove(ShardIndexFile.path(ofShard: path))
  }

  private static func fault(in pair: Pair, _ row: ForeignRow?) -> (DropReason, String)? {
    do throws(ImageError) {
      _ = try ImageDecoder.header(of: pair.image)
    } catch {
      return (DropReason(error), "the shard's picture: \(error)")
    }
    // Bytes that were kept as they came have no size in the table, and the hash is theirs.
    guard let row, row.width == nil, let sha256 = row.sha256,
      ContentHash.sha256Hex(pair.image) != sha256
    else { return nil }
    return (.hashMismatch, "the shard's picture has not the sha256 of its row")
  }

  private mutating func rewrite(_ name: String, in folder: String) throws -> ShardSummary? {
    let kept = Set(pictures.map(\.key))
    let writer = try ShardWriter(folder: folder, name: name, compression: .none)
    var written: Set<String> = []
    try ShardReader(path: "\(folder)/\(name).tar").forEachSample { sample in
      guard kept.contains(sample.key), written.insert(sample.key).inserted else { return }
      try writer.append(sample)
    }
    pictures.removeAll { !written.contains($0.key) }
    return writer.pairs > 0 ? try writer.finish() : nil
  }

  private static func digest(of path: String, _ flag: CancellationFlag) throws -> String {
    let reader = try FileReader(path)
    var hash = ContentHash()
    var offset = 0
    while true {
      try flag.check()
      let piece = try reader.read(count: 4 << 20, at: offset)
      if piece.isEmpty { return hash.hexDigest() }
      hash.update(piece)
      offset += piece.count
    }
  }
}
