import PipelineCore

/// The rows of a CSV or TSV list with a header.
///
/// Carried columns are text. A name that comes again gets its column's number, as does one without
/// a name.
final class DelimitedRows: RowSource {
  var hasCaptions: Bool { caption != nil }
  private var reader: DelimitedReader
  private let names: [String]
  private let url: Int
  private let caption: Int?
  private let hash: Int?
  /// The beginning of each carried column's JSON member; nil for those that are not carried.
  private let keys: [[UInt8]?]
  private var isDeclared = false

  init(path: String, delimiter: UInt8, roles: ColumnRoles) throws(ListError) {
    var reader = DelimitedReader(try TextWindow(path: path), delimiter: delimiter)
    guard let record = try reader.next() else {
      // A list without a single row is empty, not wrong.
      (names, url, caption, hash, keys) = ([], 0, nil, nil, [])
      self.reader = reader
      return
    }
    guard record == .fields, TextRule.problem(reader.window.bytes, reader.range) == nil else {
      throw .unreadable(
        path: path, problem: "its first line is no header: it is \(Self.problem(record))")
    }
    var header: [String] = []
    for field in 0..<reader.fieldCount {
      var text: [UInt8] = []
      reader.append(field, to: &text)
      header.append(String(decoding: text, as: UTF8.self))
    }
    let places = try roles.places(in: header, path: path)
    let names = Self.unique(header)
    keys = names.enumerated().map { field, name in
      if field == places.url || field == places.caption { return nil }
      var key: [UInt8] = []
      JSONText.append(Array(name.utf8), to: &key)
      return key + [UInt8(ascii: ":")]
    }
    self.names = names
    (url, caption, hash) = places
    self.reader = reader
  }

  private static func unique(_ header: [String]) -> [String] {
    var seen: Set<String> = []
    return header.enumerated().map { index, name in
      var candidate = name.isEmpty ? "column_\(index + 1)" : name
      while !seen.insert(candidate).inserted { candidate += "_\(index + 1)" }
      return candidate
    }
  }

  private static func problem(_ record: DelimitedReader.Record) -> String {
    switch record {
    case .fields: "no UTF-8 text"
    case .unclosed: "a quoted field without an end"
    case .tooLong: "longer than \(DelimitedReader.longestRow >> 20) MiB"
    }
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    if !isDeclared {
      isDeclared = true
      for (field, key) in keys.enumerated() where key != nil {
        schema.declare(names[field], .string)
      }
    }
    guard let record = try reader.next() else { return false }
    row.clear(line: reader.line)
    switch record {
    case .unclosed: row.reject = "a quoted field has no end"
    case .tooLong:
      row.reject = "the row is longer than \(DelimitedReader.longestRow >> 20) MiB"
    case .fields where reader.fieldCount != names.count:
      row.reject = "\(reader.fieldCount) fields where the header has \(names.count)"
    case .fields:
      // Fields are cut at ASCII, so they are UTF-8 exactly when the record is.
      if let problem = TextRule.problem(reader.window.bytes, reader.range) {
        row.reject = reason(problem)
      } else {
        fill(&row)
      }
    }
    return true
  }

  private func fill(_ row: inout ListRow) {
    reader.append(url, to: &row.url)
    if let caption { reader.append(caption, to: &row.caption) }
    if let hash {
      var digits: [UInt8] = []
      reader.append(hash, to: &digits)
      row.setHash(digits, column: names[hash])
    }
    for (field, key) in keys.enumerated() {
      guard let key else { continue }
      row.beginColumn()
      row.columns += key
      if let range = reader.plainRange(of: field) {
        JSONText.append(reader.window.bytes, range, to: &row.columns)
      } else {
        var text: [UInt8] = []
        reader.append(field, to: &text)
        JSONText.append(text, to: &row.columns)
      }
    }
  }

  /// Names the first field with a problem that the record has.
  private func reason(_ problem: String) -> String {
    for field in 0..<reader.fieldCount {
      var text: [UInt8] = []
      reader.append(field, to: &text)
      guard let problem = TextRule.problem(text, 0..<text.count) else { continue }
      return "column \(names[field]) "
        + (problem == "not UTF-8" ? "is not UTF-8" : "holds \(problem)")
    }
    return "the row is \(problem)"
  }
}
