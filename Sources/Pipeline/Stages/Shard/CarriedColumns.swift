import PipelineCore

/// The list's other columns under the names that they have beside a layout's own.
///
/// A column that is named like a field is called `list_NAME`, with the prefix once more until no field
/// and no other column has that name: our own shards may be fed in again, round after round. The names
/// follow from the whole list's columns, so that tables and JSON of all shards agree.
struct CarriedColumns: Sendable {
  /// In the list's order, under their names here.
  let columns: [TableColumn]
  private let names: [String: String]

  /// - Parameters:
  ///   - columns: The list's other columns, each name once.
  ///   - taken: The layout's own fields.
  init(_ columns: [TableColumn], unless taken: Set<String>) {
    var used = taken.union(columns.map(\.name))
    var names: [String: String] = [:]
    for column in columns where taken.contains(column.name) {
      var name = column.name
      while !used.insert(name).inserted { name = "list_" + name }
      names[column.name] = name
    }
    self.names = names
    self.columns = columns.map { column in
      var column = column
      column.name = names[column.name] ?? column.name
      return column
    }
  }

  /// A row's members under their names here.
  func renamed(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
    members.map { JSONValue.Member(names[$0.key] ?? $0.key, $0.value) }
  }
}
