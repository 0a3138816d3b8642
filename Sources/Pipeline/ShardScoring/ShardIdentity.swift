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
    let file = try FileReader(path)
    var hash = ContentHash()
    for start in stride(from: 0, to: file.size, by: Self.step) {
      hash.update(try file.read(count: min(Self.step, file.size - start), at: start))
    }
    name = Self.name(path)
    bytes = file.size
    sha256 = hash.hexDigest()
  }

  private static let step = 4 << 20

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
