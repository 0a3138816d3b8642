import WorkerThreads

/// Where the words of a join come from.
protocol WordSource: Sendable {
  var count: Int { get }

  /// The words from `lower` on, as many as `words` has places.
  func read(_ words: inout [UInt64], from lower: Int) throws
}

extension WordSource {
  /// Words read at once: a megabyte.
  private static var chunk: Int { 1 << 17 }

  /// Fills the front side.
  func copy(
    to elements: JoinElements, threads: Int, check: @Sendable () throws -> Void
  ) throws {
    let stop = JoinStop()
    let chunks = (count + Self.chunk - 1) / Self.chunk
    Parallel.forEach(chunks, threads: threads) { chunk in
      guard !stop.isStopped else { return }
      stop.attempt {
        try check()
        let lower = chunk * Self.chunk
        var words = [UInt64](repeating: 0, count: min(Self.chunk, count - lower))
        try read(&words, from: lower)
        elements.fill(from: lower, with: words)
      }
    }
    try stop.rethrow()
  }
}

extension WordFile: WordSource {}

extension Array: WordSource where Element == UInt64 {
  func read(_ words: inout [UInt64], from lower: Int) {
    words.replaceSubrange(words.indices, with: self[lower..<lower + words.count])
  }
}
