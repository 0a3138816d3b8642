import ContentHashing

/// The stamps of a run's tables, from the first chunk on, and a digest of those up to each.
///
/// Kept by a process from chunk to chunk. What a mark of the indexes tells of as it was seen here has not
/// changed since, and is not looked at again: whoever publishes a table anew has removed the marks of it and
/// of all after it before.
final class TableStamps {
  private let looks: FileLooks
  /// The chunks that did not count, whatever tables they have.
  private var givenUp: Set<Int> = []
  private var seen: [FileStamp?] = []
  /// Each is of the one before and of the chunk's own stamp.
  private var digests: [String] = []

  init(_ looks: FileLooks) { self.looks = looks }

  /// Looks at the tables of the first chunks that may have changed.
  ///
  /// - Parameters:
  ///   - count: Chunks.
  ///   - givenUp: Those whose tables do not count.
  ///   - marks: Of the indexes; none where somebody may have published who has no part in them.
  ///   - table: A chunk's table.
  /// - Returns: The digest up to each of these chunks; what may follow is of no meaning.
  func upToEach(
    of count: Int, without givenUp: Set<Int>, _ marks: [IndexMarks.Mark], table: (Int) -> String
  ) -> [String] {
    let last = marks.last { digests.indices.contains($0.chunk) && digests[$0.chunk] == $0.stamps }
    var known = last.map { $0.chunk + 1 } ?? 0
    if let change = self.givenUp.symmetricDifference(givenUp).min() { known = min(known, change) }
    self.givenUp = givenUp
    for chunk in 0..<count where chunk >= known {
      let stamp = givenUp.contains(chunk) ? nil : looks.stamp(table(chunk))
      if chunk == seen.count || seen[chunk] != stamp { set(stamp, of: chunk) }
    }
    return digests
  }

  /// The digest up to a chunk whose table is new, those before being as they were seen last.
  ///
  /// - Returns: Nil where not all before were seen.
  func upTo(_ chunk: Int, table: String) -> String? {
    guard chunk <= seen.count else { return nil }
    set(looks.stamp(table), of: chunk)
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
