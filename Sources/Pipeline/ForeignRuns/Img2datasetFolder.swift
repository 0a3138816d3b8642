import DurableFiles

/// What stands in an output_folder of img2dataset, by shard.
///
/// Source: img2dataset 1.47, writer.py and logger.py: `NNNNN.tar`, `NNNNN.parquet`,
/// `NNNNN_stats.json`, with `oom_shard_count` digits; `_tmp` while it works.
struct Img2datasetFolder: Sendable {
  struct Shard: Sendable, Equatable {
    var number: Int
    /// The digits as the files have them.
    var name: String
    var tar: String?
    var table: String?
    var stats: String?
  }

  let path: String
  /// By rising number.
  let shards: [Shard]
  /// Whether img2dataset was at work, or was killed.
  let hasWorkList: Bool

  /// The most numbers without a shard: each becomes a chunk without rows.
  static let mostGaps = 10_000

  /// - Throws: ``ImportError`` for what is no folder of output_format webdataset.
  init(_ path: String) throws {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.path = path
    let names = try DurableFile.names(in: path)
    if names.contains("ledger.sqlite") { throw ImportError.isRun(folder: path) }
    var shards: [Int: Shard] = [:]
    var others: [(format: String, file: String)] = []
    for name in names {
      let digits = String(name.prefix { $0.isASCII && $0.isNumber })
      guard !digits.isEmpty, digits.utf8.count <= 15, let number = Int(digits) else { continue }
      let ending = String(name.dropFirst(digits.utf8.count))
      guard [".tar", ".parquet", "_stats.json"].contains(ending) else {
        if let format = Self.otherFormats[ending] { others.append((format, name)) }
        continue
      }
      var shard = shards[number] ?? Shard(number: number, name: digits)
      guard shard.name == digits else {
        throw ImportError.twice(folder: path, one: shard.name + ending, other: name)
      }
      switch ending {
      case ".tar": shard.tar = "\(path)/\(name)"
      case ".parquet": shard.table = "\(path)/\(name)"
      default: shard.stats = "\(path)/\(name)"
      }
      shards[number] = shard
    }
    self.shards = shards.values.sorted { $0.number < $1.number }
    hasWorkList = names.contains("_tmp")
    try check(others)
  }

  private static let otherFormats = [
    "": "files", ".tfrecord": "tfrecord", ".tar.lz4": "compressed tar",
    ".tar.gz": "compressed tar", ".tar.zst": "compressed tar",
  ]

  private func check(_ others: [(format: String, file: String)]) throws {
    guard shards.contains(where: { $0.tar != nil }) else {
      if let other = others.first {
        throw ImportError.otherFormat(folder: path, format: other.format, file: other.file)
      }
      guard let shard = shards.first else { throw ImportError.noShards(folder: path) }
      if shard.table != nil {
        throw ImportError.otherFormat(
          folder: path, format: "parquet", file: shard.name + ".parquet")
      }
      throw ImportError.otherFormat(
        folder: path, format: "dummy", file: shard.name + "_stats.json")
    }
    let last = shards.last?.number ?? 0
    guard last + 1 - shards.count <= Self.mostGaps else {
      throw ImportError.tooManyGaps(folder: path, last: last, shards: shards.count)
    }
  }
}
