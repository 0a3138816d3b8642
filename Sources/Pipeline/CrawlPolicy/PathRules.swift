/// A file's rules about paths, each with the line that states it.
///
/// Compact: all text in one array and 16 bytes per rule; a pattern that is spelled in its line as it
/// is compared takes no room of its own. Patterns without wildcards are found by binary search, the
/// others are tried in order of length: O(log(rules) · path + wildcard rules · path) per question.
package struct PathRules: Sendable {
  package enum Verdict: UInt8, Sendable { case allow = 0, disallow = 1 }

  private struct Entry: Sendable, Equatable {
    var lineStart: UInt32
    var patternStart: UInt32
    var patternCount: UInt32
    var lineCount: UInt16
    var verdict: Verdict
  }

  /// What wins among rules of equal length.
  private let ties: Verdict
  private var text: [UInt8] = []
  private var entries: [Entry] = []
  /// Rules without wildcards by pattern, the winner of equal ones last.
  private var literals: [UInt32] = []
  /// The others, longest first, the winner of equally long ones first.
  private var wildcards: [UInt32] = []

  package init(ties: Verdict) { self.ties = ties }

  package var count: Int { entries.count }
  package var isEmpty: Bool { entries.isEmpty }

  package func verdict(_ index: Int) -> Verdict { entries[index].verdict }

  /// The line of a rule, at most 500 bytes.
  package func line(_ index: Int) -> String {
    let start = Int(entries[index].lineStart)
    return String(decoding: text[start..<start + Int(entries[index].lineCount)], as: UTF8.self)
  }

  package func pattern(_ index: Int) -> ArraySlice<UInt8> {
    let start = Int(entries[index].patternStart)
    return text[start..<start + Int(entries[index].patternCount)]
  }

  /// Adds a rule in the order of its file; `finish` must follow before a question.
  package mutating func append(
    _ verdict: Verdict, pattern: ArraySlice<UInt8>, line: ArraySlice<UInt8>
  ) {
    let kept = PolicyEvidence.cut(String(decoding: line, as: UTF8.self))
    let spelled = PercentEncoding.pattern(pattern)
    let lineStart = text.count
    text += kept.utf8
    var patternStart = text.count
    let offset = pattern.startIndex - line.startIndex
    if offset >= 0, offset + spelled.count <= text.count - lineStart,
      text[(lineStart + offset)...].starts(with: spelled)
    {
      patternStart = lineStart + offset
    } else {
      text += spelled
    }
    entries.append(
      Entry(
        lineStart: UInt32(lineStart), patternStart: UInt32(patternStart),
        patternCount: UInt32(spelled.count), lineCount: UInt16(kept.utf8.count), verdict: verdict))
  }

  /// Builds the order in which rules are looked up.
  package mutating func finish() {
    var literals: [UInt32] = []
    var wildcards: [UInt32] = []
    // Of equal rules the first is enough.
    var seen: [Set<ArraySlice<UInt8>>] = [[], []]
    for index in entries.indices {
      let pattern = pattern(index)
      guard seen[Int(verdict(index).rawValue)].insert(pattern).inserted else { continue }
      PathPattern.isSpecial(pattern)
        ? wildcards.append(UInt32(index)) : literals.append(UInt32(index))
    }
    literals.sort {
      let (a, b) = (pattern(Int($0)), pattern(Int($1)))
      return a.elementsEqual(b) ? !wins(Int($0)) && wins(Int($1)) : a.lexicographicallyPrecedes(b)
    }
    wildcards.sort {
      let (a, b) = (entries[Int($0)].patternCount, entries[Int($1)].patternCount)
      return a == b ? wins(Int($0)) && !wins(Int($1)) : a > b
    }
    self.literals = literals
    self.wildcards = wildcards
  }

  private func wins(_ index: Int) -> Bool { entries[index].verdict == ties }

  /// The rule with the longest pattern that matches `path`; among equally long ones the winner.
  ///
  /// The path is spelled as `PercentEncoding.path` does. With `fileTypes`, `*.jpg` means the file
  /// type, as in ai.txt.
  package func longest(_ path: [UInt8], fileTypes: Bool = false) -> Int? {
    let literal = longestLiteral(path)
    let least = literal.map { entries[$0].patternCount } ?? 0
    for candidate in wildcards {
      let index = Int(candidate)
      let length = entries[index].patternCount
      if let literal, length < least || (length == least && wins(literal)) { return literal }
      if matches(index, path, fileTypes: fileTypes) {
        return length > least || wins(index) ? index : literal ?? index
      }
    }
    return literal
  }

  /// The first rule of the file that matches.
  package func first(_ path: [UInt8]) -> Int? {
    entries.indices.first { matches($0, path, fileTypes: false) }
  }

  private func matches(_ index: Int, _ path: [UInt8], fileTypes: Bool) -> Bool {
    let pattern = pattern(index)
    return fileTypes && PathPattern.isFileType(pattern)
      ? PathPattern.namesFileType(pattern, path) : PathPattern.matches(pattern, path)
  }

  /// Binary search for the longest pattern that is a prefix of the path.
  ///
  /// The last pattern that sorts at or before the path either is a prefix, or agrees with the path
  /// in its first n octets only; every prefix of the path then has at most n octets, or it would
  /// sort behind. So the search goes on with the path's first n octets.
  private func longestLiteral(_ path: [UInt8]) -> Int? {
    var limit = path.count
    while true {
      var (low, high) = (0, literals.count)
      while low < high {
        let middle = (low + high) / 2
        if path[..<limit].lexicographicallyPrecedes(pattern(Int(literals[middle]))) {
          high = middle
        } else {
          low = middle + 1
        }
      }
      guard low > 0 else { return nil }
      let index = Int(literals[low - 1])
      let common = zip(pattern(index), path[..<limit]).prefix { $0 == $1 }.count
      if common == entries[index].patternCount { return index }
      limit = common
    }
  }
}

extension PathRules: Equatable {
  package static func == (a: PathRules, b: PathRules) -> Bool {
    a.ties == b.ties && a.text == b.text && a.entries == b.entries
  }
}

/// As JSON `{"t": text, "r": [five numbers a rule]}`; what is read back is checked.
extension PathRules: Codable {
  private enum Key: String, CodingKey {
    case text = "t"
    case rules = "r"
    case ties = "w"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let ties = Verdict(rawValue: try container.decode(UInt8.self, forKey: .ties))
    self.init(ties: ties ?? .disallow)
    text = Array(try container.decode(String.self, forKey: .text).utf8)
    let numbers = try container.decode([Int].self, forKey: .rules)
    guard ties != nil, numbers.count.isMultiple(of: 5), text.count <= 1 << 24 else {
      throw Self.damaged(container)
    }
    for at in stride(from: 0, to: numbers.count, by: 5) {
      let lengths = [numbers[at + 1], numbers[at + 3]]
      guard let verdict = UInt8(exactly: numbers[at + 4]).flatMap(Verdict.init(rawValue:)),
        (0...text.count).contains(numbers[at]), (0...text.count).contains(numbers[at + 2]),
        (0...text.count - numbers[at]).contains(lengths[0]), lengths[0] <= PolicyEvidence.longest,
        (0...text.count - numbers[at + 2]).contains(lengths[1])
      else { throw Self.damaged(container) }
      entries.append(
        Entry(
          lineStart: UInt32(numbers[at]), patternStart: UInt32(numbers[at + 2]),
          patternCount: UInt32(lengths[1]), lineCount: UInt16(lengths[0]), verdict: verdict))
    }
    finish()
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(ties.rawValue, forKey: .ties)
    try container.encode(String(decoding: text, as: UTF8.self), forKey: .text)
    let numbers = entries.flatMap {
      [
        Int($0.lineStart), Int($0.lineCount), Int($0.patternStart), Int($0.patternCount),
        Int($0.verdict.rawValue),
      ]
    }
    try container.encode(numbers, forKey: .rules)
  }

  private static func damaged(_ container: KeyedDecodingContainer<Key>) -> DecodingError {
    DecodingError.dataCorrupted(
      .init(codingPath: container.codingPath, debugDescription: "rules out of their text's bounds"))
  }
}
