/// The type of a carried column, wide enough for all its values.
enum ColumnType: String, Sendable {
  case string, int, double, bool
  /// Any value, as JSON text.
  case json

  /// The narrowest type that holds the values of both.
  func widened(to other: ColumnType) -> ColumnType {
    switch (self, other) {
    case _ where self == other: self
    case (.int, .double), (.double, .int): .double
    default: .json
    }
  }
}

/// The columns that the rows of a list carry, in order of first appearance, with their types.
struct ColumnSchema {
  /// More different names than this are no columns but data.
  static let mostColumns = 4_096

  private(set) var names: [[UInt8]] = []
  /// Nil for columns that hold nothing but nulls so far.
  private(set) var types: [ColumnType?] = []
  private var places: [[UInt8]: Int] = [:]
  // The row in which each column was seen last, and the columns of that row in order: most rows have
  // the columns of the one before.
  private var seen: [Int] = []
  private var row = 0
  private var order: [Int] = []
  private var next = 0

  /// Begins a row whose columns ``note(_:_:)`` tells in turn.
  mutating func beginRow() {
    row += 1
    next = 0
  }

  /// Notes a column of the row; false when the row has it twice or the list has too many.
  mutating func note(_ name: ArraySlice<UInt8>, _ type: ColumnType?) -> Bool {
    let place: Int
    if next < order.count, names[order[next]].elementsEqual(name) {
      place = order[next]
    } else {
      guard let found = self.place(of: Array(name)) else { return false }
      place = found
      if next < order.count { order[next] = place } else { order.append(place) }
    }
    next += 1
    guard seen[place] != row else { return false }
    seen[place] = row
    if let type, types[place] != type { types[place] = types[place]?.widened(to: type) ?? type }
    return true
  }

  /// Notes a column that all rows of a file have.
  mutating func declare(_ name: String, _ type: ColumnType) {
    guard let place = place(of: Array(name.utf8)) else { return }
    types[place] = types[place]?.widened(to: type) ?? type
  }

  private mutating func place(of name: [UInt8]) -> Int? {
    if let place = places[name] { return place }
    guard names.count < Self.mostColumns else { return nil }
    places[name] = names.count
    names.append(name)
    types.append(nil)
    seen.append(-1)
    return names.count - 1
  }
}
