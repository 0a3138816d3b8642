import ContentHashing
import DurableFiles

/// The digest of a file of any size.
enum FileDigest {
  private static let step = 4 << 20

  /// 64 hexadecimal digits.
  static func sha256(of path: String) throws -> String {
    let reader = try FileReader(path)
    var hash = ContentHash()
    for start in stride(from: 0, to: reader.size, by: step) {
      hash.update(try reader.read(count: min(step, reader.size - start), at: start))
    }
    return hash.hexDigest()
  }
}
