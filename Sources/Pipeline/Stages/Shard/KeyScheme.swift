import PipelineCore

/// How the members of a pair are named in its shard; never with a dot, which ends a key.
public enum KeyScheme: String, Codable, Sendable, CaseIterable {
  /// The pair's uid, which stays the same over reruns, other chunk sizes and resharding.
  case uid
  /// The shard's number and the row's place in it, as img2dataset counts.
  ///
  /// The uid stands in the JSON and the table.
  case img2dataset

  /// The name of a pair's members.
  ///
  /// - Parameters:
  ///   - fate: The pair.
  ///   - chunk: Its chunk, which is its shard.
  ///   - rowsPerShard: Sets the digits that number the rows of a shard: ⌈log₁₀ rows⌉.
  /// - Returns: A key, which a list that repeats a uid may have twice.
  func key(of fate: PairFate, chunk: Int, rowsPerShard: Int) -> String {
    switch self {
    case .uid: return fate.candidate.uid
    case .img2dataset:
      var (rowDigits, reach) = (0, 1)
      while reach < rowsPerShard {
        reach *= 10
        rowDigits += 1
      }
      if rowDigits == 0 { return RunFolder.digits(chunk) }
      let digits = String(fate.place)
      let padding = String(repeating: "0", count: max(0, rowDigits - digits.utf8.count))
      return RunFolder.digits(chunk) + padding + digits
    }
  }
}
