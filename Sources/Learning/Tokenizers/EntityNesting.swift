/// Ampersands that were escaped again and again: `&amp;amp;lt;`.
enum EntityNesting {
  private static let level = Array("amp;".unicodeScalars)

  /// `text` after `levels` passes that each make an ampersand of every `&amp;`.
  static func opened(_ text: [Unicode.Scalar], levels: Int) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      result.append(text[index])
      index += 1
      if text[index - 1] == "&" { index += min(levels, depth(text, from: index)) * level.count }
    }
    return result
  }

  /// `text` with its shallowest nest two levels deep, and all others shallower by as much.
  ///
  /// To be used where the last pass did nothing but open one level of each nest. What stands beside a
  /// nest then sees the same neighbours in all passes but the last two, so those change nothing.
  static func withoutIdleLevels(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let depths = text.indices.filter { text[$0] == "&" }.map { depth(text, from: $0 + 1) }
    guard let shallowest = depths.filter({ $0 > 0 }).min(), shallowest > 2 else { return text }
    return opened(text, levels: shallowest - 2)
  }

  /// How many `amp;` stand one after the other from `start` on.
  private static func depth(_ text: [Unicode.Scalar], from start: Int) -> Int {
    var depth = 0
    while text[min(text.count, start + depth * level.count)...].starts(with: level) { depth += 1 }
    return depth
  }
}
