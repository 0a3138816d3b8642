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
  /// - Throws: ``TableError`` naming the line that is no JSON object.
  public static func read(_ path: String) throws -> [JSONValue] {
    let bytes = try DurableFile.read(path)
    var rows: [JSONValue] = []
    for (index, line) in bytes.split(separator: 0x0A).enumerated() {
      do {
        rows.append(try JSONValue.parse(Array(line)))
      } catch {
        throw TableError(path: path, line: index + 1, problem: error.description)
      }
    }
    return rows
  }
}

/// A table of the run that cannot be read: it was changed or damaged after it was published.
public struct TableError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var line: Int
  public var problem: String

  public init(path: String, line: Int, problem: String) {
    self.path = path
    self.line = line
    self.problem = problem
  }

  public var description: String {
    "\(path):\(line): \(problem). The run's own table is damaged; run again in a new folder."
  }
}
