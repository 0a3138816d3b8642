import DurableFiles

/// The list's other columns, as ingest found them: `chunks/columns.json`.
public enum ListColumns {
  static func path(_ folder: RunFolder) -> String { folder.path + "/chunks/columns.json" }

  /// Publishes the columns in the order of their first appearance.
  public static func write(_ columns: [TableColumn], in folder: RunFolder) throws {
    let rows = columns.map {
      JSONValue.object([
        .init("name", .string($0.name)), .init("type", .string($0.kind.rawValue)),
      ])
    }
    try DurableFile.write(JSONValue.array(rows).serialized + "\n", to: path(folder))
  }

  /// The columns that ``write(_:in:)`` published.
  public static func read(_ folder: RunFolder) throws -> [TableColumn] {
    let path = path(folder)
    let json = try JSONValue.parse(try DurableFile.read(path))
    guard case .array(let rows) = json else {
      throw TableError(path: path, row: 0, problem: "it is no list of columns")
    }
    return try rows.enumerated().map { index, row in
      guard let name = row["name"]?.text,
        let kind = row["type"]?.text.flatMap(TableColumn.Kind.init(rawValue:))
      else { throw TableError(path: path, row: index, problem: "a name or a type is missing") }
      return TableColumn(name, kind)
    }
  }
}
