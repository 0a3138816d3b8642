/// Finds the word that was meant where another was written.
public enum NearestWord {
  /// The word among `known` that a slip of the hand makes `word` of; nil when none is that near.
  ///
  /// At most a letter in four may differ, three at most; of equally near words the one with the
  /// longer common beginning wins. Without a section (`timeout`) and as the beginning of a word
  /// (`min_sc`) it must fit one word alone.
  ///
  /// - Parameters:
  ///   - word: What was written.
  ///   - known: What there is; sections are parted by dots.
  /// - Returns: What was meant.
  public static func nearest(to word: String, among known: [String]) -> String? {
    let most = min(3, max(1, word.count / 4))
    let near = known.map {
      (distance: distance(word, $0), common: commonPrefix(word, $0), known: $0)
    }
    .filter { $0.distance <= most }
    .min { ($0.distance, -$0.common, $0.known) < ($1.distance, -$1.common, $1.known) }
    if let near { return near.known }
    let sectioned = known.filter { each in
      guard let dot = each.lastIndex(of: ".") else { return false }
      return distance(word, String(each[dot...].dropFirst())) <= most
    }
    if !sectioned.isEmpty { return sectioned.count == 1 ? sectioned[0] : nil }
    let beginnings = known.filter { word.count > 2 && $0.hasPrefix(word) }
    return beginnings.count == 1 ? beginnings[0] : nil
  }

  /// The inserted, removed, changed and swapped characters between two words.
  ///
  /// Optimal string alignment: Damerau 1964 by Wagner and Fischer's table.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var before: [Int] = []
    var above = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, above[j + 1] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, before[j - 1] + 1)
        }
        row.append(least)
      }
      (before, above) = (above, row)
    }
    return above[b.count]
  }

  private static func commonPrefix(_ a: String, _ b: String) -> Int {
    zip(a, b).prefix { $0 == $1 }.count
  }
}
