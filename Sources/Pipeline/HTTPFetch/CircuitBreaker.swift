/// Which hosts do not answer, and how long they are left alone, agreed on by all processes of a run.
///
/// A host whose exchanges fail several times in a row before any answer, by a failed connection or
/// a timeout, is left alone for a while; then one request probes it, and the next while is twice as
/// long when that fails too. Any answer, an error page included, closes the circuit. The failures of
/// all processes count together, and one probe goes for all. Time comes in as a parameter; every
/// operation is O(1). Hosts are given by their hashes.
package struct CircuitBreaker {
  /// Whether a request to a host may start.
  package enum State: Equatable {
    case closed
    /// Not before the time, monotonic seconds.
    case open(until: Double)
    /// One may, as a probe.
    case halfOpen
    /// The probe is under way.
    case probing
  }

  private let failureLimit: Int
  private let firstPause: Double
  private let longestProbe: Double
  /// Kept whole: who watches the circuits takes part in the run, and has its row.
  private let hosts: SharedHosts
  /// Only hosts that did not answer last.
  private var table: BreakerTable { hosts.breakers }

  /// The longest time that a host is left alone between two probes; seconds.
  package static let longestPause = 3600.0
  /// More hosts than this are not remembered, lest a list of dead names fill the memory.
  package static let hostLimit = BreakerTable.entryCount

  /// - Parameters:
  ///   - failures: How many in a row open a circuit.
  ///   - pause: Seconds that it is open the first time.
  ///   - longestProbe: Seconds after which a probe of which nothing was heard has died with its
  ///     process, so that another may start.
  ///   - hosts: What is known already, and where others look.
  package init(failures: Int, pause: Double, longestProbe: Double = 60, hosts: SharedHosts) {
    failureLimit = failures
    firstPause = pause
    self.longestProbe = longestProbe
    self.hosts = hosts
  }

  package func state(of host: UInt64, now: Double) -> State {
    guard let entry = entry(host, now: now), entry.openings > 0 else { return .closed }
    guard now < entry.time else { return .halfOpen }
    return entry.isProbing ? .probing : .open(until: entry.time)
  }

  /// The class of failure that opened the circuit, with words for a result; nil when it is closed.
  package func refusal(of host: UInt64, now: Double) -> (failure: FetchFailure, detail: String)? {
    guard let entry = entry(host, now: now), entry.openings > 0 else { return nil }
    let failure: FetchFailure = entry.isTimeout ? .timeout : .connect
    let words =
      "not asked: circuit open for \(pauseLength(entry)) s after \(entry.failures) failures in a row "
      + "(\(failure.rawValue))"
    return (failure, words)
  }

  /// Starts a half-open host's one request; false where another process has done so just now.
  package func beginProbe(_ host: UInt64, now: Double) -> Bool {
    var isOurs = false
    table.update(host) { entry in
      isOurs = false
      guard var entry, entry.openings > 0, entry.time <= now else { return entry }
      isOurs = true
      entry.isProbing = true
      entry.time = now + longestProbe
      return entry
    }
    return isOurs
  }

  /// Says that the probe ended without telling anything, so that another may start.
  package func endProbe(_ host: UInt64, now: Double) {
    table.update(host) { entry in
      guard var entry, entry.isProbing else { return entry }
      entry.isProbing = false
      entry.time = now
      return entry
    }
  }

  /// Says that the host answered.
  package func answered(_ host: UInt64) {
    guard table.state(of: host) != nil else { return }
    table.update(host) { _ in nil }
  }

  /// Counts an exchange that ended before any answer.
  ///
  /// True when the circuit has opened by it. `isProbe` tells the host's probe from others, which
  /// began before the circuit opened and leave an open one as it is.
  package func failed(
    _ host: UInt64, _ failure: FetchFailure, isProbe: Bool, now: Double
  ) -> Bool {
    var opens = false
    table.update(host) { present in
      opens = false
      var entry = present.flatMap { isVoid($0, now: now) ? nil : $0 } ?? BreakerState()
      guard entry.openings == 0 || isProbe else { return entry }
      entry.failures += 1
      entry.isTimeout = failure == .timeout
      entry.isProbing = false
      entry.time = now
      guard entry.failures >= failureLimit else { return entry }
      opens = true
      entry.openings += 1
      entry.time = now + pauseLength(entry)
      return entry
    }
    return opens
  }

  private func entry(_ host: UInt64, now: Double) -> BreakerState? {
    table.state(of: host).flatMap { isVoid($0, now: now) ? nil : $0 }
  }

  /// Whether the entry is from before this machine's restart, when its clock began anew.
  private func isVoid(_ entry: BreakerState, now: Double) -> Bool {
    entry.time > now + max(Self.longestPause, longestProbe) + 1
  }

  private func pauseLength(_ entry: BreakerState) -> Double {
    let doublings = Double(sign: .plus, exponent: max(0, entry.openings - 1), significand: 1)
    return min(Self.longestPause, firstPause * doublings)
  }
}
