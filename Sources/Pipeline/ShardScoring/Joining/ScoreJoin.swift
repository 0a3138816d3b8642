/// Finds the scores of pairs, and counts how many have one.
public struct ScoreJoin {
  private let sources: ScoreSources
  /// Pairs that were asked for, and those of them that some table knows.
  public private(set) var pairs = 0
  public private(set) var found = 0
  public var missing: Int { pairs - found }

  public init(_ sources: ScoreSources) { self.sources = sources }

  /// A column's numbers for some pairs; nil where no table knows the pair, or has no number for it.
  ///
  /// - Throws: ``ScoreSourceError/noSuchColumn(_:columns:)``.
  public mutating func values(
    of column: String, for names: [PairNames]
  ) throws(ScoreSourceError) -> [Double?] {
    guard let source = sources.sources.first(where: { $0.columns.contains(column) }),
      let number = source.columns.firstIndex(of: column)
    else { throw .noSuchColumn(column, columns: sources.columns) }
    pairs += names.count
    return names.map { name in
      guard let row = source.row(of: name) else { return nil }
      found += 1
      return source.value(number, at: row)
    }
  }

  /// Refuses a join in which no pair has found its row.
  public func requireSome() throws(ScoreSourceError) {
    guard pairs > 0, found == 0 else { return }
    throw .nothingJoined(
      pairs: pairs, rows: sources.rows,
      by: sources.identities.map(\.rawValue).joined(separator: " or "))
  }

  /// For a person.
  public var words: String {
    missing == 0 ? "all \(pairs) pairs found a score" : "\(found) of \(pairs) pairs found a score"
  }
}
