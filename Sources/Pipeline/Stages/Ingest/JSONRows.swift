import PipelineCore

/// The rows of a JSON list: an array of objects, or objects one after the other.
final class JSONRows: RowSource {
  var hasCaptions: Bool { objects.hasCaptions }
  private var stream: JSONStream
  private var objects: JSONObjectReader
  private let isArray: Bool
  private var isFirst = true

  private init(_ stream: JSONStream, roles: ColumnRoles, isArray: Bool) {
    self.stream = stream
    self.isArray = isArray
    objects = JSONObjectReader(roles)
  }

  /// The rows of a file, by its shape.
  ///
  /// `[{"url": …}, …]`, as img2dataset and pandas (`orient="records"`) have it; `{"url": {"0": …}, …}`
  /// or `{"url": […], …}`, pandas' default; and `{"url": …} {"url": …}`.
  ///
  /// - Throws: ``ListError`` for another shape.
  static func open(path: String, roles: ColumnRoles) throws(ListError) -> any RowSource {
    var stream = JSONStream(try TextWindow(path: path))
    switch try stream.peek() {
    case UInt8(ascii: "["):
      _ = try stream.take(UInt8(ascii: "["))
      return JSONRows(stream, roles: roles, isArray: true)
    case UInt8(ascii: "{"):
      if let columns = try JSONColumns.find(path: path) {
        return try JSONColumnRows(path: path, columns: columns, roles: roles)
      }
      return JSONRows(stream, roles: roles, isArray: false)
    case nil: return JSONRows(stream, roles: roles, isArray: false)
    default:
      throw .unreadable(
        path: path, problem: "it is neither an array of objects nor an object of columns")
    }
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    guard try begin() else { return false }
    row.clear(line: stream.line)
    switch try stream.value() {
    case .tooLong:
      row.reject = "the value is longer than \(JSONStream.longestValue >> 20) MiB"
    case .bytes(let range) where range.isEmpty: throw stream.damaged("a value is missing")
    case .bytes(let range): objects.fill(&row, stream.window.bytes, range, &schema)
    }
    return true
  }

  /// Goes to the next value; false at the end.
  private func begin() throws(ListError) -> Bool {
    defer { isFirst = false }
    guard isArray else { return try stream.peek() != nil }
    if try stream.take(UInt8(ascii: "]")) {
      guard try stream.peek() == nil else { throw stream.damaged("text after the array") }
      return false
    }
    if !isFirst {
      guard try stream.take(UInt8(ascii: ",")) else {
        throw stream.damaged("a comma or ] is missing")
      }
    }
    guard try stream.peek() != nil else { throw stream.damaged("the array has no end") }
    return true
  }
}

/// Where the columns of a JSON object of columns begin.
enum JSONColumns {
  /// Readers stay open at each column, so there is a limit to them.
  static let most = 256

  struct Column: Equatable {
    var name: String
    /// Of the value's opening bracket, bytes into the text.
    var offset: Int
  }

  /// The columns of the first object in the file; nil when it is a row.
  ///
  /// Passes through the whole object once: the columns lie behind one another.
  static func find(path: String) throws(ListError) -> [Column]? {
    var stream = JSONStream(try TextWindow(path: path))
    _ = try stream.take(UInt8(ascii: "{"))
    var columns: [Column] = []
    while try stream.peek() == UInt8(ascii: "\"") {
      guard let name = try key(&stream), try stream.take(UInt8(ascii: ":")) else {
        return nil
      }
      let first = try stream.peek()
      guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
      columns.append(Column(name: name, offset: stream.offset))
      guard columns.count <= most else {
        throw .unreadable(
          path: path, problem: "it is an object of more than \(most) columns; make it an array")
      }
      // A column may be of any length: it is walked through value by value.
      var cursor = JSONColumnCursor(stream)
      while try cursor.next() != nil {}
      stream = cursor.stream
      if try !stream.take(UInt8(ascii: ",")) { break }
    }
    return columns.isEmpty ? nil : columns
  }

  /// The key that comes next; nil when it is none.
  static func key(_ stream: inout JSONStream) throws(ListError) -> String? {
    guard try stream.peek() == UInt8(ascii: "\""), case .bytes(let range) = try stream.value()
    else { return nil }
    guard TextRule.isUTF8(stream.window.bytes, range) else { return nil }
    var walker = JSONWalker(stream.window.bytes, range, isCopying: false)
    var text: [UInt8] = []
    do throws(JSONFault) { try walker.text(into: &text) } catch { return nil }
    return String(decoding: text, as: UTF8.self)
  }
}

/// Reads one column, an array or an object, value by value.
struct JSONColumnCursor {
  private(set) var stream: JSONStream
  private var closing: UInt8?
  private var isFirst = true
  private(set) var key = ""

  init(_ stream: JSONStream) { self.stream = stream }

  /// The next value, nil after the last; its key, where there are keys, is then in ``key``.
  mutating func next() throws(ListError) -> JSONStream.Value? {
    if closing == nil {
      closing = try stream.take(UInt8(ascii: "[")) ? UInt8(ascii: "]") : UInt8(ascii: "}")
      if closing == UInt8(ascii: "}") { _ = try stream.take(UInt8(ascii: "{")) }
    }
    guard let closing else { return nil }
    if try stream.take(closing) { return nil }
    if !isFirst, try !stream.take(UInt8(ascii: ",")) {
      throw stream.damaged("a comma or bracket is missing in a column")
    }
    isFirst = false
    if closing == UInt8(ascii: "}") {
      guard let key = try JSONColumns.key(&stream), try stream.take(UInt8(ascii: ":")) else {
        throw stream.damaged("a key is missing in a column")
      }
      self.key = key
    }
    guard try stream.peek() != nil else { throw stream.damaged("a column has no end") }
    let value = try stream.value()
    if value == .bytes(stream.window.start..<stream.window.start) {
      throw stream.damaged("a value is missing in a column")
    }
    return value
  }
}

/// The rows of an object of columns, as pandas writes it: one reader per column, side by side.
///
/// Memory: a window per column. A compressed list is unpacked once for each column.
final class JSONColumnRows: RowSource {
  var hasCaptions: Bool { objects.hasCaptions }
  private let path: String
  private let names: [String]
  private var cursors: [JSONColumnCursor] = []
  private var objects: JSONObjectReader
  private var count = 0
  private var object: [UInt8] = []

  init(
    path: String, columns: [JSONColumns.Column], roles: ColumnRoles
  ) throws(ListError) {
    self.path = path
    names = columns.map(\.name)
    objects = JSONObjectReader(roles)
    _ = try roles.places(in: names, path: path)
    for column in columns {
      cursors.append(
        JSONColumnCursor(JSONStream(try TextWindow(path: path, from: column.offset))))
    }
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    object.removeAll(keepingCapacity: true)
    object.append(UInt8(ascii: "{"))
    var ended = 0
    var isTooLong = false
    for index in cursors.indices {
      guard let value = try cursors[index].next() else {
        ended += 1
        continue
      }
      guard cursors[index].key == cursors[0].key else {
        throw cursors[index].stream.damaged(
          "column \(names[index]) has key \(cursors[index].key) where \(names[0]) has "
            + cursors[0].key)
      }
      if index > 0 { object.append(UInt8(ascii: ",")) }
      JSONText.append(Array(names[index].utf8), to: &object)
      object.append(UInt8(ascii: ":"))
      switch value {
      case .tooLong: isTooLong = true
      case .bytes(let range): object += cursors[index].stream.window.bytes[range]
      }
    }
    if ended == cursors.count { return false }
    guard ended == 0 else { throw .unreadable(path: path, problem: "its columns differ in length") }
    object.append(UInt8(ascii: "}"))
    count += 1
    row.clear(line: count)
    if isTooLong {
      row.reject = "a value is longer than \(JSONStream.longestValue >> 20) MiB"
    } else {
      objects.fill(&row, object, 0..<object.count, &schema)
    }
    return true
  }
}
