import DurableFiles

/// A table with one JSON object per line.
public enum JSONLines {
  /// Publishes `rows` under `path`.
  public static func write(_ rows: [JSONValue], to path: String) throws {
    var bytes: [UInt8] = []
    for row in rows {
      row.append(to: &bytes)
      bytes.append(0x0A)
    }
    try DurableFile.write(bytes, to: path)
  }

  /// The rows of the table at `path`.
  ///
  /// - Throws: ``TableError`` naming the line, counted from 0, that is no JSON object.
  public static func read(_ path: String) throws -> [JSONValue] {
    let bytes = try DurableFile.read(path)
    var rows: [JSONValue] = []
    for (index, line) in bytes.split(separator: 0x0A).enumerated() {
      do {
        rows.append(try JSONValue.parse(Array(line)))
      } catch {
        throw TableError(path: path, row: index, problem: error.description)
      }
    }
    return rows
  }

  /// Reads a table whose rows are all of one kind.
  ///
  /// - Throws: ``TableError`` naming the first row that is not.
  public static func read<T>(_ path: String, as make: (JSONValue) -> T?) throws -> [T] {
    try read(path).enumerated().map { index, row in
      guard let value = make(row) else {
        throw TableError(path: path, row: index, problem: "a field is missing")
      }
      return value
    }
  }
}
