import Synchronization

/// What is known of hosts that did not answer last, by all processes that map one file.
///
/// Each entry is the host's hash and its state, replaced together by one compare-and-swap of 16
/// bytes: there is no lock, and a killed process leaves nothing half written. A host's entry is one
/// of four. Where these are taken, a host of which less is to be remembered gives way.
struct BreakerTable: Sendable {
  private let mapping: SharedMapping

  static let entryCount = 1 << 16
  private static let ways = 4
  static let byteCount = entryCount * MemoryLayout<Atomic<WordPair>>.stride

  /// - Parameter mapping: Begins with the table.
  init(_ mapping: SharedMapping) { self.mapping = mapping }

  func state(of key: UInt64) -> BreakerState? {
    for index in places(of: key) {
      let pair = load(index)
      if pair.first == UInt(key) { return BreakerState(bits: UInt64(pair.second)) }
    }
    return nil
  }

  /// Changes a host's state, however many do so at once.
  ///
  /// - Parameters:
  ///   - key: The host's hash, not 0.
  ///   - change: Makes the new state out of the present one, nil for none; may be called again.
  /// - Returns: The new state; nil too where all places are taken by hosts that count more.
  @discardableResult func update(
    _ key: UInt64, _ change: (BreakerState?) -> BreakerState?
  ) -> BreakerState? {
    while true {
      let places = places(of: key)
      var place = places.first { load($0).first == UInt(key) }
      var seen = place.map(load) ?? WordPair(first: 0, second: 0)
      // It may have gone since.
      let present = seen.first == UInt(key) ? BreakerState(bits: UInt64(seen.second)) : nil
      if place != nil, present == nil { continue }
      let new = change(present)
      guard new != nil || present != nil else { return nil }
      if place == nil {
        let weights = places.map { index in
          let pair = load(index)
          return (index, pair, pair.first == 0 ? 0 : BreakerState(bits: UInt64(pair.second)).time)
        }
        if weights.contains(where: { $0.1.first == UInt(key) }) { continue }
        // Open circuits, whose time is to come, stay before all that are closed.
        guard let (index, pair, weight) = weights.min(by: { $0.2 < $1.2 }),
          weight <= new?.time ?? 0
        else { return nil }
        (place, seen) = (index, pair)
      }
      guard let place else { return nil }
      let desired = new.map { WordPair(first: UInt(key), second: UInt($0.bits)) }
      if exchange(place, seen, desired ?? WordPair(first: 0, second: 0)) { return new }
    }
  }

  /// Has every open circuit tried again, and forgets probes, whose processes are gone.
  ///
  /// What lies further ahead than any pause is from before the machine's restart, and stays void. Costs
  /// a millisecond.
  func halfOpen(now: Double) {
    for index in 0..<Self.entryCount {
      while true {
        let pair = load(index)
        guard pair.first != 0 else { break }
        var entry = BreakerState(bits: UInt64(pair.second))
        guard entry.openings > 0, entry.time >= now,
          entry.isProbing || entry.time <= now + CircuitBreaker.longestPause + 1
        else { break }
        entry.isProbing = false
        // A step of the clock earlier, since times are rounded up.
        entry.time = max(0, now - 0.01)
        if exchange(index, pair, WordPair(first: pair.first, second: UInt(entry.bits))) { break }
      }
    }
  }

  private func places(of key: UInt64) -> Range<Int> {
    let first = Int(truncatingIfNeeded: key % UInt64(Self.entryCount / Self.ways)) * Self.ways
    return first..<first + Self.ways
  }

  private func load(_ index: Int) -> WordPair {
    // Safe: within the mapping, which is aligned to a page; zeros are a value.
    unsafe mapping.base.assumingMemoryBound(to: Atomic<WordPair>.self)[index]
      .load(ordering: .acquiring)
  }

  private func exchange(_ index: Int, _ seen: WordPair, _ desired: WordPair) -> Bool {
    // Safe: as above.
    unsafe mapping.base.assumingMemoryBound(to: Atomic<WordPair>.self)[index]
      .compareExchange(expected: seen, desired: desired, ordering: .acquiringAndReleasing)
      .exchanged
  }
}

/// A host's state in eight bytes.
struct BreakerState: Equatable {
  /// Without an answer between them; counts to a million.
  var failures = 0
  /// How often the circuit opened since the last answer, up to 63.
  var openings = 0
  var isTimeout = false
  /// Whether one request tries whether the host answers again.
  var isProbing = false
  /// Monotonic seconds, in steps of 10 ms: how long the circuit is open, or until when the probe has
  /// ended, or its process; of a closed circuit, when the host failed last.
  var time = 0.0

  init() {}

  init(bits: UInt64) {
    failures = Int(bits & (1 << 20 - 1))
    openings = Int(bits >> 20 & 63)
    isTimeout = bits >> 26 & 1 == 1
    isProbing = bits >> 27 & 1 == 1
    time = Double(bits >> 28) / 100
  }

  var bits: UInt64 {
    let ticks = UInt64(min(max(0, (time * 100).rounded(.up)), Double(1 << 36 - 1)))
    return UInt64(min(failures, 1 << 20 - 1)) | UInt64(min(openings, 63)) << 20
      | (isTimeout ? 1 << 26 : 0) | (isProbing ? 1 << 27 : 0) | ticks << 28
  }
}
