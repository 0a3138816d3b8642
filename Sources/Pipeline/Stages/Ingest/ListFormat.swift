/// The kinds of list, told apart by the file's name.
public enum ListFormat: String, Sendable, CaseIterable {
  case csv, tsv, jsonl, txt

  /// The format of `path`, `.gz` aside.
  public init(path: String) throws(ListError) {
    var name = path.lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    if name.hasSuffix(".ndjson") {
      self = .jsonl
      return
    }
    guard let format = Self.allCases.first(where: { name.hasSuffix("." + $0.rawValue) }) else {
      throw .unknownFormat(path: path)
    }
    self = format
  }
}

/// Why a list as a whole could not be taken in.
///
/// Single bad rows are rejects, not errors.
public enum ListError: Error, Sendable, Equatable, CustomStringConvertible {
  case unreadable(path: String, problem: String)
  case unknownFormat(path: String)
  case noColumn(path: String, wanted: [String], found: [String])

  public var description: String {
    switch self {
    case .unreadable(let path, let problem): "\(path): the list cannot be read: \(problem)."
    case .unknownFormat(let path):
      "\(path): the name tells no format. Known are "
        + ListFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
        + ", each also with .gz."
    case .noColumn(let path, let wanted, let found):
      "\(path): no column \(wanted.joined(separator: " or ")); it has \(found.joined(separator: ", "))."
        + " Name it with --set url_column=NAME or caption_column=NAME."
    }
  }
}

/// A data row as it stands in the list, or why it cannot be used.
struct ListRow: Equatable {
  /// The line it begins on, from 1.
  var line: Int
  var content: Content

  enum Content: Equatable {
    case row(url: String, caption: String, columns: [Column])
    case reject(String)
  }

  /// A column that is carried along.
  struct Column: Equatable {
    var name: String
    /// JSON text for JSONL, the field's text for tables.
    var value: Value
  }

  enum Value: Equatable {
    case text(String)
    case json([UInt8])
  }
}
