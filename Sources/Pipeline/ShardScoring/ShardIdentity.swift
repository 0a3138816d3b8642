import ContentHashing
import DurableFiles

/// What a shard is told by, wherever it lies: its bytes.
struct ShardIdentity: Sendable, Equatable {
  /// Of the file, without its folder.
  var name: String
  var bytes: Int
  /// 64 hexadecimal digits.
  var sha256: String

  /// Reads the whole file once; far cheaper than scoring it.
  init(of path: String) throws {
    name = Self.name(path)
    bytes = try DurableFile.size(of: path)
    sha256 = try FileDigest.sha256(of: path)
  }

  /// As a table's footer names it; nil where it does not.
  init?(_ footer: [String: String]) {
    guard let name = footer["shard"], let bytes = footer["shard_bytes"].flatMap({ Int($0) }),
      let sha256 = footer["shard_sha256"]
    else { return nil }
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
  }

  static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

  /// Its lines in a table's footer.
  var facts: [(key: String, value: String)] {
    [("shard", name), ("shard_bytes", "\(bytes)"), ("shard_sha256", sha256)]
  }

  /// Whether a table's footer speaks of these bytes.
  func isNamed(by footer: [String: String]) -> Bool {
    footer["shard_sha256"] == sha256 && footer["shard_bytes"] == "\(bytes)"
  }
}
