import ContentHashing

/// A test of one column's value.
public enum Comparison: Sendable, Equatable {
  case min(Double)
  case max(Double)
  /// Both ends included.
  case between(Double, Double)
  /// The column's text, or its number where both are one.
  case oneOf([String])
  /// A pattern with `*` for any characters and `?` for one.
  case matches(GlobPattern)
  case contains(String)
  case isNull

  /// Whether it sets a bound to a number.
  var isBound: Bool {
    switch self {
    case .min, .max, .between: true
    case .oneOf, .matches, .contains, .isNull: false
    }
  }

  func words(_ column: String) -> String {
    switch self {
    case .min(let value): "\(column) >= \(Self.short(value))"
    case .max(let value): "\(column) <= \(Self.short(value))"
    case .between(let low, let high):
      "\(column) from \(Self.short(low)) to \(Self.short(high))"
    case .oneOf(let values) where values.count == 1: "\(column) = \(values[0])"
    case .oneOf(let values) where values.count > 8:
      "\(column) in a list of \(values.count) ("
        + ContentHash.sha256Hex(Array(values.joined(separator: "\n").utf8)).prefix(12) + ")"
    case .oneOf(let values): "\(column) in [\(values.joined(separator: ", "))]"
    case .matches(let pattern):
      "\(column) like \(pattern.text)" + (pattern.ignoresCase ? " (ignoring case)" : "")
    case .contains(let text): "\(column) contains \(text)"
    case .isNull: "\(column) is null"
    }
  }

  static func short(_ value: Double) -> String {
    Int64(exactly: value).map { String($0) } ?? "\(value)"
  }

  /// The test made ready for many values.
  func test() -> @Sendable (FilterColumn, Int) -> Bool? {
    switch self {
    case .min(let least): return { column, index in column.number(at: index).map { $0 >= least } }
    case .max(let most): return { column, index in column.number(at: index).map { $0 <= most } }
    case .between(let low, let high):
      return { column, index in column.number(at: index).map { $0 >= low && $0 <= high } }
    case .isNull: return { column, index in column.text(at: index) == nil }
    case .matches(let pattern):
      return { column, index in column.text(at: index).map { pattern.matches($0) } }
    case .contains(let text):
      let wanted = Array(text.utf8)
      return { column, index in
        column.text(at: index).map { Self.contains(Array($0.utf8), wanted) }
      }
    case .oneOf(let values):
      // By bytes: Swift's own equality takes é and e with an accent for one.
      let texts = Set(values.map { Array($0.utf8) })
      // True and false are 1 and 0 in a column of them.
      let numbers = Set(
        values.compactMap { ["true": 1, "false": 0][$0] ?? FilterColumn.number($0) })
      return { column, index in
        if case .numbers = column, let number = column.number(at: index) {
          return numbers.contains(number)
        }
        return column.text(at: index).map { texts.contains(Array($0.utf8)) }
      }
    }
  }

  private static func contains(_ text: [UInt8], _ wanted: [UInt8]) -> Bool {
    guard let first = wanted.first else { return true }
    guard text.count >= wanted.count else { return false }
    for start in 0...(text.count - wanted.count)
    where text[start] == first && text[start..<start + wanted.count].elementsEqual(wanted) {
      return true
    }
    return false
  }
}

/// A pattern of plain characters, `*` for any number of them and `?` for one.
///
/// Matches the whole text, by Unicode scalars, in time of at most pattern times text.
public struct GlobPattern: Sendable, Equatable {
  public var text: String
  public var ignoresCase: Bool
  private let scalars: [Unicode.Scalar]

  public init(_ text: String, ignoresCase: Bool = false) {
    self.text = text
    self.ignoresCase = ignoresCase
    scalars = Self.scalars(text, ignoresCase)
  }

  private static func scalars(_ text: String, _ ignoresCase: Bool) -> [Unicode.Scalar] {
    Array((ignoresCase ? text.lowercased() : text).unicodeScalars)
  }

  public func matches(_ text: String) -> Bool {
    let text = Self.scalars(text, ignoresCase)
    var (place, start) = (0, 0)
    // The last star, and where the text after it began to be matched.
    var star: Int?
    var mark = 0
    while start < text.count {
      if place < scalars.count, scalars[place] == "*" {
        star = place
        mark = start
        place += 1
      } else if place < scalars.count, scalars[place] == "?" || scalars[place] == text[start] {
        place += 1
        start += 1
      } else if let last = star {
        mark += 1
        place = last + 1
        start = mark
      } else {
        return false
      }
    }
    while place < scalars.count, scalars[place] == "*" { place += 1 }
    return place == scalars.count
  }
}
