import EmbeddingFiles

/// Tells of the pairs of shards, in their order, which rows of the embeddings they are.
///
/// Pairs go by uid and key, or by the one that rows have: pairs of one uid, of which some have no row as their
/// pictures do not decode, differ in their keys. Where several rows of the embeddings have one name, the first pair of that name
/// is the first of these rows, and so on: shards in the order in which they were embedded. Memory: the names of
/// the rows that are wanted.
struct RowsOfPairs {
  /// By name, its rows in order.
  private var rows: [String: [Int]] = [:]
  private var seen: [String: Int] = [:]
  private let hasUID: Bool
  private let hasKey: Bool

  /// - Parameters:
  ///   - folder: Names the rows.
  ///   - isWanted: Whether a row is asked for.
  /// - Throws: ``SemanticDeduplicationError/noNames(_:)``; what is wrong with the tables.
  init(of folder: EmbeddingFolder, _ isWanted: (Int) -> Bool) throws {
    var names: Set<String> = []
    var hasUID = false
    var hasKey = false
    try folder.forEachMetadata { first, batch in
      for pair in batch {
        hasUID = hasUID || !SemanticNames.uid(of: pair).isEmpty
        hasKey = hasKey || !pair.key.isEmpty
      }
    }
    guard hasUID || hasKey else {
      throw SemanticDeduplicationError.noNames(folder.path)
    }
    (self.hasUID, self.hasKey) = (hasUID, hasKey)
    func name(_ pair: EmbeddingMetadata) -> String {
      Self.name(hasUID ? SemanticNames.uid(of: pair) : nil, hasKey ? pair.key : nil)
    }
    try folder.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() where isWanted(first + index) {
        names.insert(name(pair))
      }
    }
    var rows: [String: [Int]] = [:]
    try folder.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() where names.contains(name(pair)) {
        rows[name(pair), default: []].append(first + index)
      }
    }
    self.rows = rows
  }

  private static func name(_ uid: String?, _ key: String?) -> String {
    [uid, key].compactMap { $0 }.joined(separator: "\n")
  }

  /// The row of the next pair of this name; nil where none of the name is wanted.
  mutating func take(uid: @autoclosure () -> String?, key: String) -> Int? {
    let uid = hasUID ? uid() : nil
    // A sample without a picture has no row.
    if hasUID, uid == nil { return nil }
    let name = Self.name(uid, hasKey ? key : nil)
    guard let rows = rows[name] else { return nil }
    let place = seen[name, default: 0]
    seen[name] = place + 1
    return place < rows.count ? rows[place] : nil
  }
}
