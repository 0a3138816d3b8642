internal import Synchronization
internal import WorkerThreads

/// What an index needs to know of a caption.
struct CaptionFingerprint: Sendable {
  var key: CaptionKey
  /// Both empty where near captions are not asked for, and of the empty caption.
  var shingles: [UInt32]
  var bands: [UInt32]

  init(of caption: String, bands: SimilarityBands?) {
    let text = NormalizedCaption.utf8(of: caption)
    key = CaptionKey(normalized: text)
    shingles = bands == nil ? [] : CaptionShingles.hashes(of: text)
    self.bands = bands?.hashes(of: shingles) ?? []
  }
}

extension Parallel {
  /// What `body` makes of each index, in order, on up to `threads` threads.
  static func map<T: Sendable>(_ count: Int, threads: Int, _ body: @Sendable (Int) -> T) -> [T] {
    guard threads > 1, count > 1 else { return (0..<count).map(body) }
    // Few strips, so that threads seldom wait for each other.
    let strips = min(count, threads * 4)
    let results = Mutex([[T]](repeating: [], count: strips))
    Parallel.forEach(strips, threads: threads) { strip in
      let part = (count * strip / strips..<count * (strip + 1) / strips).map(body)
      results.withLock { $0[strip] = part }
    }
    return results.withLock { $0.flatMap { $0 } }
  }
}
