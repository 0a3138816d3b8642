import ContentHashing

/// What tells a list from another, for a run that must not be resumed with a different one.
public enum ListIdentity {
  /// Bytes of a file's start and of its end that are read; a shorter file is read whole.
  private static let edge = 128 << 10
  private static let (samples, sample) = (16, 4 << 10)

  /// Names and values that change when the list does.
  ///
  /// Covers the number of files, their names without folders, order, formats and sizes; the whole
  /// content of files up to 256 KiB; of bigger ones the first and last 128 KiB and 16 places of 4 KiB
  /// spread evenly in between. So 320 KiB a file are read at most, and a change inside a big file that
  /// keeps its size may go unseen. Folders and times do not count: a list may be moved and copied.
  ///
  /// - Throws: ``ListError`` when a file is not there.
  public static func describe(
    _ options: IngestOptions
  ) throws(ListError) -> [(key: String, value: String)] {
    let files = try ListFiles.find(options)
    var hash = ContentHash()
    var bytes = 0
    for file in files {
      let open = try ListFile(path: file.path)
      let name = file.path.split(separator: "/").last ?? ""
      hash.update(Array("\(name)\n\(file.format.rawValue)\n\(open.size)\n".utf8))
      bytes += open.size
      for (offset, count) in places(size: open.size) {
        hash.update(try open.read(count, at: offset))
      }
    }
    return [
      ("input (files)", String(files.count)), ("input (bytes)", String(bytes)),
      ("input (sample SHA-256)", hash.hexDigest()),
    ]
  }

  private static func places(size: Int) -> [(offset: Int, count: Int)] {
    if size <= 2 * edge { return [(0, size)] }
    let step = (size - 2 * edge) / samples
    let inner = (0..<samples).map { (offset: edge + $0 * step, count: min(sample, step)) }
    return [(0, edge)] + inner + [(size - edge, edge)]
  }
}
