import ParquetFile

/// What rows of scores are joined by.
public enum JoinColumn: String, Sendable, CaseIterable {
  case uid, key, url
}

/// Rows of one kind out of tables that were made alike: what they are known by, and columns of numbers.
struct ScoreSource: Sendable {
  let identity: JoinColumn
  let columns: [String]
  let provenance: ScoreProvenance
  /// The first table, for errors.
  let path: String
  /// Rows whose key had one before; the first counts.
  private(set) var repeated = 0
  /// Those of them that have another number than the first.
  private(set) var differing = 0
  private var index = JoinIndex()
  /// By column, a number for each row; NaN for null.
  private var values: [[Double]]

  init(_ identity: JoinColumn, columns: [String], provenance: ScoreProvenance, path: String) {
    self.identity = identity
    self.columns = columns
    self.provenance = provenance
    self.path = path
    values = columns.map { _ in [] }
  }

  var rows: Int { index.count }

  mutating func reserve(_ more: Int) {
    index.reserve(index.count + more)
    for column in values.indices { values[column].reserveCapacity(index.count + more) }
  }

  /// Adds a row; `numbers` gives one for each column.
  ///
  /// - Throws: ``ScoreSourceError/ambiguousKey(_:path:)``: keys name pairs of one shard alone.
  mutating func append(
    _ name: String, _ numbers: (Int) -> Double?
  ) throws(ScoreSourceError) {
    let key = identity == .url ? JoinKey(url: name) : JoinKey(name)
    guard index.insert(key) != nil else {
      repeated += 1
      guard let first = index.row(of: key) else { return }
      let differs = values.indices.contains { column in
        self.value(column, at: first) != numbers(column)
      }
      if differs, identity == .key { throw .ambiguousKey(name, path: path) }
      if differs { differing += 1 }
      return
    }
    for column in values.indices { values[column].append(numbers(column) ?? .nan) }
  }

  func row(of pair: PairNames) -> Int? {
    switch identity {
    case .uid: index.row(of: JoinKey(pair.uid))
    case .key: index.row(of: JoinKey(pair.key))
    case .url: pair.url.flatMap { index.row(of: JoinKey(url: $0)) }
    }
  }

  func value(_ column: Int, at row: Int) -> Double? {
    let value = values[column][row]
    return value.isNaN ? nil : value
  }
}
