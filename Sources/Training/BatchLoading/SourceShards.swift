import ContentHashing
import DurableFiles
import PairDataset
import Synchronization
import WorkerThreads

/// The shards of one ``DataSource``, opened.
struct SourceShards: Sendable {
  /// A shard and which of its pairs are trained on.
  struct Shard: Sendable {
    var reader: ShardReader
    /// Numbers in the shard; nil takes all.
    var numbers: [Int]?

    var count: Int { numbers?.count ?? reader.count }
  }

  var shards: [Shard]
  /// Whether a pair without a caption is one whose caption is empty.
  var allowsEmptyCaptions: Bool
  /// Of what the source holds.
  var sha256: String
  /// What was left out, or will be slow.
  var notes: [String] = []

  /// Opens what a source's path names; foreign tars are indexed by their headers.
  init(_ source: DataSource, cache: FrameCache, threads: Int) throws {
    let path = source.path
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    if path.hasSuffix(".json") {
      try self.init(dataset: path, cache: cache)
    } else if DurableFile.isFolder(path), DurableFile.exists(folder + "/dataset.json") {
      try self.init(dataset: folder + "/dataset.json", cache: cache)
    } else {
      let files = try ShardPattern.files(path)
      guard !files.isEmpty else {
        throw DataSourceError(
          source: path,
          problem: "names no shard. Give a dataset.json, a tar, a pattern such as "
            + "{00000..00009}.tar, or a folder of tars.")
      }
      try self.init(tars: files, of: path, cache: cache, threads: threads)
    }
  }

  init(dataset path: String, cache: FrameCache) throws {
    let manifest = try DatasetManifest.read(path)
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    shards = try manifest.shards.map { shard in
      let path = folder + "/" + shard.file
      let bytes = try DurableFile.size(of: path)
      guard bytes == shard.bytes else {
        throw ShardMismatch(shard: path, what: "bytes", stated: shard.bytes, found: bytes)
      }
      let reader = try ShardReader(path: path, cache: cache)
      guard reader.count == shard.pairs else {
        throw ShardMismatch(shard: path, what: "pairs", stated: shard.pairs, found: reader.count)
      }
      return Shard(reader: reader)
    }
    allowsEmptyCaptions = true
    sha256 = ContentHash.sha256Hex(try DurableFile.read(path))
  }

  private init(tars: [String], of path: String, cache: FrameCache, threads: Int) throws {
    let found = Mutex([Int: Result<ShardCensus, any Error>]())
    Parallel.forEach(tars.count, threads: threads) { number in
      let result = Result<ShardCensus, any Error> {
        try ShardCensus(path: tars[number], cache: cache)
      }
      found.withLock { $0[number] = result }
    }
    let results = found.withLock { $0 }
    let all = try tars.indices.compactMap { try results[$0]?.get() }
    shards = all.map { census in
      Shard(
        reader: census.reader,
        numbers: census.withoutCaption == 0 ? nil : census.captioned)
    }
    allowsEmptyCaptions = false
    let captionless = all.reduce(0) { $0 + $1.withoutCaption }
    let pictureless = all.reduce(0) { $0 + $1.withoutPicture }
    if captionless > 0 {
      notes.append("\(path): \(captionless) pictures without a caption left out")
    }
    if pictureless > 0 {
      notes.append("\(path): \(pictureless) samples without a picture left out")
    }
    let slow = all.filter(\.reader.isSlowAtRandom).map(\.reader.path)
    if let first = slow.first {
      notes.append(
        "\(path): \(slow.count) shards such as \(first) are unpacked from far before each pair. Make "
          + "others of them with pairloom reshard.")
    }
    let hashes = shards.map { shard in
      let name = shard.reader.path.split(separator: "/").last ?? ""
      let numbers = shard.numbers ?? Array(0..<shard.reader.count)
      let lines = ["\(name) \(shard.reader.fileSize)"] + numbers.map(shard.reader.key(at:))
      return ContentHash.sha256Hex(Array(lines.joined(separator: "\n").utf8))
    }
    sha256 = ContentHash.sha256Hex(Array(hashes.joined(separator: "\n").utf8))
  }
}
