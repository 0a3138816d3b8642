import EmbeddingFiles

/// Tells of the pairs of shards, in their order, which of them are dropped.
///
/// Pairs go by uid, else by key. Where several rows of the embeddings have one name, the first pair of that name
/// is the first of these rows, and so on: shards in the order in which they were embedded. Memory: the names of
/// dropped rows.
struct DroppedPairs {
  /// By name, whether each row of it is dropped, in the order of rows.
  private var rows: [String: [Bool]] = [:]
  private var seen: [String: Int] = [:]
  /// Whether rows are named by keys alone.
  let isByKey: Bool

  init(_ judgement: SemanticJudgement, of folder: EmbeddingFolder) throws {
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
      for (index, pair) in batch.enumerated() where judgement.fates[first + index] != nil {
        names.insert(name(pair))
      }
    }
    var rows: [String: [Bool]] = [:]
    try folder.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() where names.contains(name(pair)) {
        rows[name(pair), default: []].append(judgement.fates[first + index] != nil)
      }
    }
    self.rows = rows
  }

  private static func name(isByKey: Bool) -> (EmbeddingMetadata) -> String {
    isByKey ? { $0.key } : { SemanticNames.uid(of: $0) }
  }

  /// Whether the next pair of this name is dropped.
  mutating func take(_ name: String) -> Bool {
    guard let rows = rows[name] else { return false }
    let place = seen[name, default: 0]
    seen[name] = place + 1
    return place < rows.count && rows[place]
  }
}
