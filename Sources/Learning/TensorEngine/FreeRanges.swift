/// The free parts of a stretch of floats, in order; neighbours are always joined.
///
/// Taking finds the smallest part that fits, the first of equals: what a step gives back, the same step finds
/// again. With n parts both ways cost O(n); a training step has some hundred.
struct FreeRanges: Sendable {
  private var parts: [Range<Int>] = []

  /// All that is free.
  var all: [Range<Int>] { parts }

  /// The start of `count` floats, which are free no longer; nil when no part is that long.
  mutating func take(_ count: Int) -> Int? {
    var best: Int?
    for (index, part) in parts.enumerated() where part.count >= count {
      if let found = best, parts[found].count <= part.count { continue }
      best = index
      if part.count == count { break }
    }
    guard let best else { return nil }
    let start = parts[best].lowerBound
    if parts[best].count == count {
      parts.remove(at: best)
    } else {
      parts[best] = start + count..<parts[best].upperBound
    }
    return start
  }

  /// Takes the part that ends at `end`, whatever its length.
  mutating func takeLast(endingAt end: Int) -> Range<Int>? {
    guard let last = parts.last, last.upperBound == end else { return nil }
    return parts.removeLast()
  }

  mutating func giveBack(_ range: Range<Int>) {
    var (low, high) = (0, parts.count)
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].lowerBound < range.lowerBound { low = middle + 1 } else { high = middle }
    }
    let joinsNext = low < parts.count && parts[low].lowerBound == range.upperBound
    let joinsPrevious = low > 0 && parts[low - 1].upperBound == range.lowerBound
    switch (joinsPrevious, joinsNext) {
    case (true, true):
      parts[low - 1] = parts[low - 1].lowerBound..<parts[low].upperBound
      parts.remove(at: low)
    case (true, false): parts[low - 1] = parts[low - 1].lowerBound..<range.upperBound
    case (false, true): parts[low] = range.lowerBound..<parts[low].upperBound
    case (false, false): parts.insert(range, at: low)
    }
  }
}
