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

  /// Whether any file of the list has captions, by `chunks/files.json`.
  ///
  /// True where that is not told, in folders of before it was.
  public static func haveCaptions(_ folder: RunFolder) throws -> Bool {
    let path = folder.chunkFiles
    guard DurableFile.exists(path),
      case .array(let files) = try JSONValue.parse(
        try DurableFile.read(path)), !files.isEmpty
    else { return true }
    return files.contains { $0["captions"] != .bool(false) }
  }
}
