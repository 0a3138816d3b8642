import DurableFiles
import PairDataset
import PipelineCore

/// How img2dataset has numbered the rows: a key is the shard's number and the row's place in it.
///
/// Source: downloader.py, `compute_key`: ⌈log₁₀ number_sample_per_shard⌉ digits for the place, behind
/// those of the shard.
struct ShardNumbering: Equatable {
  /// The digits of a place; nil where the keys are not img2dataset's.
  var placeDigits: Int?
  /// The rows of the fullest shard.
  private(set) var fewestRows: Int
  /// The rows of a full shard, as far as the shards tell.
  var rowsPerShard: Int

  static let mostRows = 1_000_000

  /// Looks at the keys and counts of all shards.
  ///
  /// Reads a column of each table, and of a shard without one its first pair.
  ///
  /// - Throws: What calls the work off, or what the disk refuses.
  init(of folder: Img2datasetFolder, _ flag: CancellationFlag) throws {
    var (digits, most, isUncertain): (Int?, Int, Bool) = (nil, 1, false)
    for shard in folder.shards {
      try flag.check()
      if let stats = try shard.stats.flatMap({ try ForeignStats(path: $0) }) {
        most = max(most, min(stats.count, Self.mostRows))
      } else if shard.table == nil {
        isUncertain = true
      }
      let keys = Self.keys(of: shard)
      most = max(most, min(keys.count, Self.mostRows))
      digits = digits ?? keys.lazy.compactMap { Self.placeDigits(of: $0, shard) }.first
      if let digits {
        let numbering = ShardNumbering(placeDigits: digits, rowsPerShard: Self.mostRows)
        for key in keys {
          if let place = numbering.place(of: key, in: shard) { most = max(most, place + 1) }
        }
      }
    }
    placeDigits = digits
    fewestRows = most
    rowsPerShard = most
    if let digits {
      // 10^(d−1) < rows ≤ 10^d.
      let (below, all) = Self.range(digits)
      rowsPerShard = isUncertain ? all : min(all, max(most, below + 1))
    }
  }

  private init(placeDigits: Int, rowsPerShard: Int) {
    self.placeDigits = placeDigits
    fewestRows = 0
    self.rowsPerShard = rowsPerShard
  }

  private static func range(_ digits: Int) -> (below: Int, all: Int) {
    let all = (0..<digits).reduce(1) { power, _ in power * 10 }
    return (digits == 0 ? 0 : all / 10, all)
  }

  /// Whether shards may have so many rows.
  func allows(rowsPerShard rows: Int) -> Bool {
    rows >= fewestRows && rows <= (placeDigits.map { Self.range($0).all } ?? Self.mostRows)
  }

  /// The keys of a shard's table, else the first of its tar; none where neither can be read.
  private static func keys(of shard: Img2datasetFolder.Shard) -> [String] {
    // What is wrong with a file is told when the shard is read.
    do {
      if let table = shard.table { return try ForeignTable.keys(path: table) }
      guard let tar = shard.tar else { return [] }
      return try TarSampleReader(path: tar).next().map { [$0.key] } ?? []
    } catch {
      return []
    }
  }

  private static func placeDigits(of key: String, _ shard: Img2datasetFolder.Shard) -> Int? {
    let digits = key.utf8.count - shard.name.utf8.count
    guard (0...6).contains(digits), key.hasPrefix(shard.name), key.allSatisfy(\.isASCIIDigit) else {
      return nil
    }
    return digits
  }

  /// The row's place in its shard; nil for a key that is none of the shard's.
  func place(of key: String, in shard: Img2datasetFolder.Shard) -> Int? {
    guard let placeDigits, Self.placeDigits(of: key, shard) == placeDigits else { return nil }
    let place = placeDigits == 0 ? 0 : Int(key.suffix(placeDigits))
    return place.flatMap { $0 < rowsPerShard ? $0 : nil }
  }

  /// The places of rows with these keys: their keys', else their order's where one has none.
  func places(of keys: [String?], in shard: Img2datasetFolder.Shard) -> [Int] {
    var used: Set<Int> = []
    var places: [Int] = []
    for key in keys {
      guard let place = key.flatMap({ self.place(of: $0, in: shard) }), used.insert(place).inserted
      else { return Array(keys.indices) }
      places.append(place)
    }
    return places
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
