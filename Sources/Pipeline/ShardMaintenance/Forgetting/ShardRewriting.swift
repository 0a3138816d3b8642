import DurableFiles
import PairDataset

/// Shards written again without some of their pairs.
enum ShardRewriting {
  /// Replaces a shard of ours by one without the pairs that go; the others keep their bytes.
  ///
  /// The new shard takes the old one's place at once. Nothing is written where nothing goes.
  ///
  /// - Parameters:
  ///   - keys: Whose pairs go.
  ///   - file: The shard's name.
  ///   - folder: Where it is.
  /// - Returns: The pairs that went, and what the shard is now; nil where none went.
  /// - Throws: What is wrong with the shard, or what the disk refuses.
  static func remove(
    _ keys: Set<String>, from file: String, in folder: String
  ) throws -> (gone: Int, summary: ShardSummary)? {
    let reader = try ShardReader(path: "\(folder)/\(file)")
    let gone = reader.keys.count { keys.contains($0) }
    guard gone > 0 else { return nil }
    let compression = ShardCompression.allCases.first { file.hasSuffix("." + $0.fileExtension) }
    let ending = compression.map { ".\($0.fileExtension)" } ?? ""
    let writer = try ShardWriter(
      folder: folder, name: String(file.dropLast(ending.utf8.count)),
      compression: compression ?? .none)
    try reader.forEach { pair in
      if !keys.contains(pair.key) { try writer.append(pair) }
    }
    return (gone, try writer.finish())
  }

  /// What a shard is now.
  static func summary(of file: String, in folder: String) throws -> ShardSummary {
    let path = "\(folder)/\(file)"
    return ShardSummary(
      file: file, pairs: try ShardReader(path: path).count, bytes: try DurableFile.size(of: path),
      sha256: try ShardCheck.digest(of: path))
  }
}
