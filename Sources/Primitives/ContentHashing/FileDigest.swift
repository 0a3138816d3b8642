public import DurableFiles

/// The digests of a file of any size; 4 MiB of it are in memory.
public enum FileDigest {
  private static let step = 4 << 20

  /// 64 lower-case hexadecimal digits.
  ///
  /// - Throws: `FileError`.
  public static func sha256(of path: String) throws(FileError) -> String {
    let reader = try FileReader(path)
    var hash = ContentHash()
    for start in stride(from: 0, to: reader.size, by: step) {
      hash.update(try reader.read(count: min(step, reader.size - start), at: start))
    }
    return hash.hexDigest()
  }

  /// 40 hexadecimal digits, as git names these bytes.
  ///
  /// - Throws: `FileError`.
  public static func gitBlob(of path: String) throws(FileError) -> String {
    let reader = try FileReader(path)
    var hash = GitBlobHash(byteCount: reader.size)
    for start in stride(from: 0, to: reader.size, by: step) {
      hash.update(try reader.read(count: min(step, reader.size - start), at: start))
    }
    return hash.hexDigest()
  }
}
