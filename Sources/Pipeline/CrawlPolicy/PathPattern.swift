/// Matches patterns with `*` and a final `$` against paths (RFC 9309 §2.2.3).
///
/// Both sides are spelled as `PercentEncoding` spells them. A pattern matches a prefix of the path,
/// or with `$` the whole. Each piece between wildcards is taken at its first place, which is always
/// right for such patterns, so there is no backtracking: the cost is O(path + pattern).
package enum PathPattern {
  /// Whether the pattern has a wildcard or an end mark.
  package static func isSpecial(_ pattern: ArraySlice<UInt8>) -> Bool {
    pattern.last == UInt8(ascii: "$") || pattern.contains(UInt8(ascii: "*"))
  }

  package static func matches(_ pattern: ArraySlice<UInt8>, _ path: [UInt8]) -> Bool {
    var rest = pattern
    let endsHere = rest.last == UInt8(ascii: "$")
    if endsHere { rest.removeLast() }
    guard let star = rest.firstIndex(of: UInt8(ascii: "*")) else {
      guard path.starts(with: rest) else { return false }
      return !endsHere || path.count == rest.count
    }
    guard path.starts(with: rest[..<star]) else { return false }
    var position = star - rest.startIndex
    rest = rest[(star + 1)...]
    while let next = rest.firstIndex(of: UInt8(ascii: "*")) {
      guard let end = endOfFirst(rest[..<next], in: path, from: position) else { return false }
      position = end
      rest = rest[(next + 1)...]
    }
    if endsHere {
      // The last piece has to stand at the end, wherever else it occurs.
      return path.count - position >= rest.count && path.suffix(rest.count).elementsEqual(rest)
    }
    return endOfFirst(rest, in: path, from: position) != nil
  }

  /// The place of a file type's name such as `.jpg` in a path, as ai.txt's `*.jpg` means it: in any
  /// case, and not followed by another letter or digit.
  package static func namesFileType(_ pattern: ArraySlice<UInt8>, _ path: [UInt8]) -> Bool {
    let name = pattern.dropFirst()
    guard name.count <= path.count else { return false }
    for start in 0...(path.count - name.count) {
      let end = start + name.count
      if end < path.count, path[end].isASCIILetter || path[end].isASCIIDigit { continue }
      let isHere = zip(name, path[start..<end]).allSatisfy {
        $0.lowercasedASCII == $1.lowercasedASCII
      }
      if isHere { return true }
    }
    return false
  }

  /// Whether a pattern is `*.` and a file type's letters and digits, at most 16.
  package static func isFileType(_ pattern: ArraySlice<UInt8>) -> Bool {
    guard pattern.starts(with: Array("*.".utf8)), (3...18).contains(pattern.count) else {
      return false
    }
    return pattern.dropFirst(2).allSatisfy { $0.isASCIILetter || $0.isASCIIDigit }
  }
}
