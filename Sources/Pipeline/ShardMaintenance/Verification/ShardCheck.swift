import ContentHashing
import DurableFiles
import ImageCodec
import PairDataset

/// One shard held against what is known of it.
struct ShardCheck {
  /// What is wrong with the shard itself, in words; nil when it is as it was published.
  var damage: String?
  /// What is wrong with its index, in words.
  var indexProblem: String?
  /// The keys that it holds, where it can be read.
  var keys: [String] = []
  var bytes = 0
  /// It is not what was published, and yet all its checksums and its index are as they should be.
  private(set) var isSoundInItself = false

  /// Looks at every byte of the shard at `path`.
  ///
  /// Reads it three times, for its digest, its index and its pairs' headers, in memory of a pair and
  /// a few MiB.
  ///
  /// - Parameters:
  ///   - path: Of the shard.
  ///   - expected: Its size, digest and number of pairs.
  init(_ path: String, _ expected: ShardSummary) {
    guard DurableFile.exists(path) else {
      damage = "it is missing"
      return
    }
    do {
      bytes = try DurableFile.size(of: path)
      guard bytes == expected.bytes else {
        damage = "it has \(bytes) bytes, \(expected.bytes) were published"
        try lookInside(path)
        return
      }
      guard try Self.digest(of: path) == expected.sha256 else {
        damage = "its SHA-256 is not the published one" + Self.place(path)
        try lookInside(path)
        return
      }
      switch try ShardIndexFile.state(ofShard: path) {
      case .current: break
      case .missing: indexProblem = "it is missing"
      case .damaged: indexProblem = "it is damaged"
      case .stale: indexProblem = "it is the index of other bytes"
      }
      try ShardReader(path: path).forEach { pair in
        keys.append(pair.key)
        do throws(ImageError) {
          _ = try ImageDecoder.header(of: pair.image)
        } catch {
          damage = damage ?? "the picture of pair \(pair.key) is none: \(error)"
        }
      }
      if keys.count != expected.pairs {
        damage = damage ?? "it holds \(keys.count) pairs, \(expected.pairs) were published"
      }
    } catch {
      damage = "\(error)"
    }
  }

  /// Looks at a shard that is not the published one by its own checksums, which a plain tar has not.
  private mutating func lookInside(_ path: String) throws {
    guard path.hasSuffix(".lz4") else { return }
    let found =
      try unlessDamaged {
        var keys: [String] = []
        try ShardReader(path: path).forEach { keys.append($0.key) }
        return try ShardIndexFile.state(ofShard: path) == .current ? keys : nil
      } ?? nil
    guard let found else { return }
    keys = found
    isSoundInItself = true
  }

  /// The SHA-256 of a file, 64 hexadecimal digits, read in pieces of 1 MiB.
  static func digest(of path: String) throws -> String {
    var hash = ContentHash()
    var offset = 0
    while true {
      let piece = try DurableFile.read(path, count: 1 << 20, at: offset)
      if piece.isEmpty { return hash.hexDigest() }
      hash.update(piece)
      offset += piece.count
    }
  }

  /// Where a damaged shard cannot be read on, in words; nothing where it can.
  private static func place(_ path: String) -> String {
    do {
      _ = try ShardIndexFile.state(ofShard: path)
      return ""
    } catch {
      return " (\(error.reason) at byte \(error.offset))"
    }
  }
}
