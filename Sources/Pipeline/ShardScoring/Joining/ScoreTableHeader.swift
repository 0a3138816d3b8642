import DurableFiles
import ParquetFile

/// What a table can be joined by, and what it has to join.
struct ScoreTableHeader {
  let reader: ParquetReader
  let identity: JoinColumn
  /// The column of the identity, as the table calls it.
  let name: String
  let columns: [String]
  let provenance: ScoreProvenance

  /// - Throws: ``ScoreSourceError/notJoinable(path:problem:)``, `ParquetError`.
  init(_ path: String) throws {
    reader = try ParquetReader(path: path)
    let there = reader.columns.filter { !$0.isList }
    func column(_ names: [String]) -> String? {
      names.first { name in there.contains { $0.name == name && $0.type.isText } }
    }
    // The uid is of the pair; a key is of its shard, and a URL may come with several captions.
    if let uid = column(["uid"]) {
      (identity, name) = (.uid, uid)
    } else if let key = column(["key", "__key__"]) {
      (identity, name) = (.key, key)
    } else if let url = column(["url", "URL"]) {
      (identity, name) = (.url, url)
    } else {
      let names = reader.columns.map(\.name).joined(separator: ", ")
      throw ScoreSourceError.notJoinable(path: path, problem: "its columns are \(names)")
    }
    columns = there.filter { $0.type.isNumber }.map(\.name)
    provenance = ScoreProvenance(reader.metadata)
  }

  /// Gives each row's name and its numbers.
  ///
  /// - Parameter body: Gets the name, and a function from a column's number to its value.
  /// - Throws: What `body` throws, and `ParquetError`.
  func forEachRow(_ body: (String, (Int) -> Double?) throws -> Void) throws {
    let batches = try reader.batches(columns: [name] + columns, rowsPerBatch: 8_192)
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        // A row without a name is nobody's.
        guard case .text(let name) = batch.values[0][row] else { continue }
        try body(name) { batch.values[$0 + 1][row].double }
      }
    }
  }
}

extension ParquetType {
  fileprivate var isText: Bool {
    switch self {
    case .string, .uuid, .enum: true
    default: false
    }
  }

  fileprivate var isNumber: Bool {
    switch self {
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .float16,
      .double, .decimal:
      true
    default: false
    }
  }
}
