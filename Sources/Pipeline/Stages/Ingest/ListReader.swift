import PipelineCore

/// Reads a list of any format row by row.
///
/// Memory: one row and one piece of the file, whatever the length of the list.
struct ListReader {
  private enum Rows {
    case delimited(DelimitedReader, header: [String], url: Int, caption: Int?)
    case lines(LineReader, isJSON: Bool)
  }

  private var rows: Rows
  private let options: IngestOptions
  private var line = 0

  /// Half of what the run's own tables may nest, which hold these values deeper down.
  static let maxDepth = 32
  static let urlNames = ["url", "URL"]
  static let captionNames = ["caption", "text", "TEXT", "alt"]

  init(path: String, options: IngestOptions) throws(ListError) {
    self.options = options
    let format = try ListFormat(path: path)
    let source = try ListSource(path: path)
    switch format {
    case .jsonl: rows = .lines(LineReader(source), isJSON: true)
    case .txt: rows = .lines(LineReader(source), isJSON: false)
    case .csv, .tsv:
      let delimiter = UInt8(ascii: format == .csv ? "," : "\t")
      var reader = DelimitedReader(delimiter: delimiter) { () throws(ListError) in
        try source.next()
      }
      let header =
        try reader.record()?.fields.map { String(decoding: $0, as: UTF8.self) } ?? []
      let urls = options.urlColumn.map { [$0] } ?? Self.urlNames
      guard let url = urls.lazy.compactMap({ header.firstIndex(of: $0) }).first else {
        // A list without a single row is empty, not wrong.
        if header.isEmpty {
          rows = .delimited(reader, header: [], url: 0, caption: nil)
          return
        }
        throw .noColumn(path: path, wanted: urls, found: header)
      }
      let captions = options.captionColumn.map { [$0] } ?? Self.captionNames
      let caption = captions.lazy.compactMap { header.firstIndex(of: $0) }.first
      if let name = options.captionColumn, caption == nil {
        throw .noColumn(path: path, wanted: [name], found: header)
      }
      rows = .delimited(reader, header: header, url: url, caption: caption)
    }
  }

  /// The next data row, nil after the last.
  mutating func next() throws(ListError) -> ListRow? {
    switch rows {
    case .delimited(var reader, let header, let url, let caption):
      guard let record = try reader.record() else { return nil }
      rows = .delimited(reader, header: header, url: url, caption: caption)
      return Self.row(record, header: header, url: url, caption: caption)
    case .lines(var reader, let isJSON):
      while let bytes = try reader.next() {
        line += 1
        // A blank line of JSONL is no row; of a plain list it is a row with an empty URL.
        if isJSON && bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        rows = .lines(reader, isJSON: isJSON)
        return ListRow(line: line, content: isJSON ? object(bytes) : Self.plain(bytes))
      }
      rows = .lines(reader, isJSON: isJSON)
      return nil
    }
  }

  private static func row(
    _ record: DelimitedReader.Record, header: [String], url: Int, caption: Int?
  ) -> ListRow {
    func reject(_ why: String) -> ListRow { ListRow(line: record.line, content: .reject(why)) }
    if record.isUnclosed { return reject("a quoted field has no end") }
    guard record.fields.count == header.count else {
      return reject("\(record.fields.count) fields where the header has \(header.count)")
    }
    var texts: [String] = []
    for (index, field) in record.fields.enumerated() {
      guard let text = String(validating: field, as: UTF8.self) else {
        return reject("column \(header[index]) is not UTF-8")
      }
      texts.append(text)
    }
    let columns = header.indices.filter { $0 != url && $0 != caption }.map {
      ListRow.Column(name: header[$0], value: .text(texts[$0]))
    }
    return ListRow(
      line: record.line,
      content: .row(url: texts[url], caption: caption.map { texts[$0] } ?? "", columns: columns))
  }

  private static func plain(_ bytes: [UInt8]) -> ListRow.Content {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return .reject("the line is not UTF-8")
    }
    return .row(url: text, caption: "", columns: [])
  }

  private func object(_ bytes: [UInt8]) -> ListRow.Content {
    let members: [JSONValue.Member]
    do {
      guard case .object(let found) = try JSONValue.parse(bytes, maxDepth: Self.maxDepth) else {
        return .reject("the line is no JSON object")
      }
      members = found
    } catch {
      return .reject(error.description)
    }
    let names = Set(members.map(\.key))
    let urls = options.urlColumn.map { [$0] } ?? Self.urlNames
    guard let urlName = urls.first(where: names.contains) else {
      return .reject("no \(urls.joined(separator: " or "))")
    }
    let captions = options.captionColumn.map { [$0] } ?? Self.captionNames
    let captionName = captions.first(where: names.contains)
    var url: String?
    var caption = ""
    var columns: [ListRow.Column] = []
    for member in members {
      switch (member.key, member.value) {
      case (urlName, .string(let text)): url = text
      case (urlName, _): return .reject("\(urlName) is no text")
      case (captionName, .string(let text)): caption = text
      case (captionName, .null): caption = ""
      case (captionName, _): return .reject("\(member.key) is no text")
      default:
        var json: [UInt8] = []
        member.value.append(to: &json)
        columns.append(ListRow.Column(name: member.key, value: .json(json)))
      }
    }
    guard let url else { return .reject("no \(urlName)") }
    return .row(url: url, caption: caption, columns: columns)
  }
}

/// A look into a list before a run begins.
public enum ListSample {
  /// The captions of the first rows that can be read.
  ///
  /// - Parameters:
  ///   - options: Name the list and its columns.
  ///   - count: Rows to read at most.
  /// - Returns: A caption per readable row; empty ones included.
  /// - Throws: ``ListError`` when the list cannot be opened or has no column of URLs.
  public static func captions(of options: IngestOptions, count: Int) throws(ListError) -> [String] {
    var reader = try ListReader(path: options.input, options: options)
    var captions: [String] = []
    for _ in 0..<count {
      guard let row = try reader.next() else { break }
      if case .row(_, let caption, _) = row.content { captions.append(caption) }
    }
    return captions
  }
}
