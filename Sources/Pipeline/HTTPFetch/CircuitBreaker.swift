/// Which hosts do not answer, and how long they are left alone.
///
/// A host whose exchanges fail several times in a row before any answer, by a failed connection or
/// a timeout, is left alone for a while; then one request probes it, and the next while is twice as
/// long when that fails too. Any answer, an error page included, closes the circuit. Time comes in
/// as a parameter; every operation is O(1).
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

  private struct Host {
    var failures = 0
    /// The newest one's class.
    var failure = FetchFailure.connect
    /// How often the circuit opened since the last answer.
    var openings = 0
    var openUntil = -Double.infinity
    var isProbing = false
  }

  private let failureLimit: Int
  private let firstPause: Double
  /// Only hosts that did not answer last.
  private var hosts: [String: Host] = [:]

  /// The longest time that a host is left alone between two probes; seconds.
  package static let longestPause = 3600.0
  /// More hosts than this are not remembered, lest a list of dead names fill the memory.
  package static let hostLimit = 100_000

  /// - Parameters:
  ///   - failures: How many in a row open a circuit.
  ///   - pause: Seconds that it is open the first time.
  package init(failures: Int, pause: Double) {
    failureLimit = failures
    firstPause = pause
  }

  package func state(of host: String, now: Double) -> State {
    guard let entry = hosts[host], entry.openings > 0 else { return .closed }
    if now < entry.openUntil { return .open(until: entry.openUntil) }
    return entry.isProbing ? .probing : .halfOpen
  }

  /// The class of failure that opened the circuit, with words for a result; nil when it is closed.
  package func refusal(of host: String) -> (failure: FetchFailure, detail: String)? {
    guard let entry = hosts[host], entry.openings > 0 else { return nil }
    let pause = pauseLength(entry)
    let words =
      "not asked: circuit open for \(pause) s after \(entry.failures) failures in a row "
      + "(\(entry.failure.rawValue))"
    return (entry.failure, words)
  }

  /// Says that a half-open host's one request has started.
  package mutating func beginProbe(_ host: String) { hosts[host]?.isProbing = true }

  /// Says that the probe ended without telling anything, so that another may start.
  package mutating func endProbe(_ host: String) { hosts[host]?.isProbing = false }

  /// Says that the host answered.
  package mutating func answered(_ host: String) { hosts[host] = nil }

  /// Counts an exchange that ended before any answer.
  ///
  /// True when the circuit has opened by it. `isProbe` tells the host's probe from others, which
  /// began before the circuit opened and leave an open one as it is.
  package mutating func failed(
    _ host: String, _ failure: FetchFailure, isProbe: Bool, now: Double
  ) -> Bool {
    if hosts[host] == nil, hosts.count >= Self.hostLimit {
      hosts = hosts.filter { $0.value.openings > 0 && $0.value.openUntil > now }
      guard hosts.count < Self.hostLimit else { return false }
    }
    var entry = hosts[host] ?? Host()
    defer { hosts[host] = entry }
    guard entry.openings == 0 || isProbe else { return false }
    entry.failures += 1
    entry.failure = failure
    guard entry.failures >= failureLimit else { return false }
    entry.isProbing = false
    entry.openings += 1
    entry.openUntil = now + pauseLength(entry)
    return true
  }

  private func pauseLength(_ entry: Host) -> Double {
    let doublings = Double(sign: .plus, exponent: min(entry.openings - 1, 60), significand: 1)
    return min(Self.longestPause, firstPause * doublings)
  }
}
