import DurableFiles

/// The list's other columns, as ingest found them: `chunks/columns.json`.
public enum ListColumns {
  /// The columns in the order of their first appearance, each of a type wide enough for its values.
  public static func read(_ folder: RunFolder) throws -> [TableColumn] {
    let path = folder.chunkColumns
    let json = try JSONValue.parse(try DurableFile.read(path))
    guard case .array(let rows) = json else {
      throw TableError(path: path, row: 0, problem: "it is no list of columns")
    }
    return try rows.enumerated().map { index, row in
      guard let name = row["name"]?.text, let type = row["type"]?.text,
        let kind = type == "string" ? .text : TableColumn.Kind(rawValue: type)
      else { throw TableError(path: path, row: index, problem: "a name or a type is missing") }
      return TableColumn(name, kind)
    }
  }
}
