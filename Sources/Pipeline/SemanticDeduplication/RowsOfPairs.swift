import EmbeddingFiles

/// Tells of the pairs of shards, in their order, which rows of the embeddings they are.
///
/// Pairs go by uid, else by key. Where several rows of the embeddings have one name, the first pair of that name
/// is the first of these rows, and so on: shards in the order in which they were embedded. Memory: the names of
/// the rows that are wanted.
struct RowsOfPairs {
  /// By name, its rows in order.
  private var rows: [String: [Int]] = [:]
  private var seen: [String: Int] = [:]
  /// Whether rows are named by keys alone.
  let isByKey: Bool

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
    isByKey = !hasUID
    let name = Self.name(isByKey: isByKey)
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

  private static func name(isByKey: Bool) -> (EmbeddingMetadata) -> String {
    isByKey ? { $0.key } : { SemanticNames.uid(of: $0) }
  }

  /// The row of the next pair of this name; nil where none of the name is wanted.
  mutating func take(_ name: String) -> Int? {
    guard let rows = rows[name] else { return nil }
    let place = seen[name, default: 0]
    seen[name] = place + 1
    return place < rows.count ? rows[place] : nil
  }
}
