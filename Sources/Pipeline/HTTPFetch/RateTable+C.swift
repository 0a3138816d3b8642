import Synchronization

/// When the next request to each host may start, agreed on by all processes that map one file.
///
/// The generic cell rate algorithm (ITU-T I.371) without bursts: a word per host holds the next
/// allowed start, and who starts moves it on by the host's spacing with one compare-and-swap. There
/// is no lock, so a process that is killed holds nobody up. Words are nanoseconds of
/// CLOCK_MONOTONIC, which all processes of a machine share and which starts anew with it: a word
/// that is further ahead than any that this run could have written is from before a restart, and
/// void. Hosts are told apart by a hash; two that share a word slow each other down, no more.
///
/// Pointer contract: the words are the mapping's, which lives as long as this object.
@safe package final class RateTable: @unchecked Sendable {
  // Sendable: the words are atomic, all else is constant.
  private let mapping: SharedMapping
  private let words: UnsafeMutablePointer<Atomic<Int64>>
  private let longest: Int64

  private static let count = 1 << 16
  private static let byteCount = count * MemoryLayout<Atomic<Int64>>.stride

  /// Maps the file, made when it is not there, or memory of this process alone.
  ///
  /// - Parameters:
  ///   - path: 512 KiB on a local disk.
  ///   - longest: How far ahead a word may be, in seconds: the longest spacing or pause.
  /// - Throws: `FetcherError` when the file cannot be had or holds something else.
  package init(path: String?, longest: Double) throws(FetcherError) {
    self.longest = Self.nanoseconds(longest)
    mapping = try SharedMapping(path: path, byteCount: Self.byteCount, kind: "table of rates")
    // Safe: an Atomic<Int64> is its eight bytes, and zeros, which a new file holds, are a value.
    unsafe words = mapping.base.bindMemory(to: Atomic<Int64>.self, capacity: Self.count)
  }

  /// Asks whether a request may start now.
  ///
  /// - Parameters:
  ///   - key: The host's hash.
  ///   - spacing: Seconds between the starts of two of its requests; 0 for none.
  ///   - now: Monotonic seconds.
  /// - Returns: nil when it may, which counts as its start, else when to ask again.
  package func claim(_ key: UInt64, spacing: Double, now: Double) -> Double? {
    let slot = Int(truncatingIfNeeded: key % UInt64(Self.count))
    let now = Self.nanoseconds(now)
    let step = Self.nanoseconds(spacing)
    var seen = unsafe words[slot].load(ordering: .acquiring)
    while true {
      if seen > now, seen - now <= longest { return Double(seen) * 1e-9 }
      guard step > 0 else { return nil }
      let (isOurs, current) = unsafe words[slot].compareExchange(
        expected: seen, desired: now + step, ordering: .acquiringAndReleasing)
      if isOurs { return nil }
      seen = current
    }
  }

  /// Starts nothing of this host before `until`, in any process; a pause is never shortened.
  package func pause(_ key: UInt64, until: Double, now: Double) {
    let slot = Int(truncatingIfNeeded: key % UInt64(Self.count))
    let (now, until) = (Self.nanoseconds(now), Self.nanoseconds(until))
    var seen = unsafe words[slot].load(ordering: .acquiring)
    while seen < until || seen - now > longest {
      let (isOurs, current) = unsafe words[slot].compareExchange(
        expected: seen, desired: until, ordering: .acquiringAndReleasing)
      if isOurs { return }
      seen = current
    }
  }

  private static func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
}
