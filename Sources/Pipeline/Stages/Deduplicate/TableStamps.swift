import ContentHashing

/// The stamps of a run's tables, from the first chunk on, and a digest of those up to each.
///
/// Kept by a process from chunk to chunk: what has not changed since costs a look at its entry in the
/// folder each time, and is not hashed again.
final class TableStamps {
  private var seen: [FileStamp?] = []
  /// Each is of the one before and of the chunk's own stamp.
  private var digests: [String] = []

  /// Looks at the tables of the first chunks.
  ///
  /// - Parameters:
  ///   - count: Chunks.
  ///   - table: A chunk's table; nil where it does not count.
  /// - Returns: The digest up to each of these chunks; what may follow is of no meaning.
  func upToEach(of count: Int, table: (Int) -> String?) -> [String] {
    for chunk in 0..<count {
      let stamp = table(chunk).flatMap(FileStamp.init)
      if chunk == seen.count || seen[chunk] != stamp { set(stamp, of: chunk) }
    }
    return digests
  }

  /// The digest up to a chunk whose table is new, those before being as they were seen last.
  ///
  /// - Returns: Nil where not all before were seen.
  func upTo(_ chunk: Int, table: String) -> String? {
    guard chunk <= seen.count else { return nil }
    set(FileStamp(table), of: chunk)
    return digests[chunk]
  }

  private func set(_ stamp: FileStamp?, of chunk: Int) {
    seen.removeSubrange(chunk...)
    digests.removeSubrange(chunk...)
    seen.append(stamp)
    let text = "\(digests.last ?? "") \(stamp?.words ?? "-")"
    digests.append(String(ContentHash.sha256Hex(Array(text.utf8)).prefix(32)))
  }
}
