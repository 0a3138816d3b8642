/// How a host wants to be asked: how often, after which pause, and not at all while it is dead.
///
/// Lives on the loop thread. A host is scheme, host and port here, as in `FetchURL.host`.
package struct HostManners {
  private struct Throttle {
    /// Answers 429 or 503 in a row that came to requests sent after the pause for the one before.
    var count = 0
    var pausedUntil = -Double.infinity
  }

  private let rates: RateTable
  private let places: HostPlaces
  private let spacing: Double
  private let options: FetchOptions
  private let breaker: CircuitBreaker
  /// The hosts that this process probes.
  private var probes: Set<UInt64> = []
  private var throttles: [String: Throttle] = [:]
  /// The quickest first byte of each host that has a rate, in seconds: what its network takes.
  private var quickest: [String: Double] = [:]
  private var answers: [String: Answers] = [:]
  private var requests: [String: Absence] = [:]

  /// What a host's answers tell of it while another request waits.
  private struct Answers {
    /// When the latest exchange began that was answered; monotonic seconds.
    var latestBegan: Double
    /// Seconds to the first byte, of which the newest answers count most.
    var usual: Double
  }

  /// Until when a host wants to be left alone, longer than any request waits.
  private struct Absence {
    var until: Double
    var status: Int
  }

  /// How late a request may arrive without a pause; the longest pause for one; seconds.
  private static let lateness = 0.05
  private static let longestCatchUp = 2.0
  /// Seconds until a host that another process probes is asked about again.
  private static let probePatience = 0.1
  /// More hosts' quickest answers are not remembered.
  private static let hostLimit = 65_536

  package init(options: FetchOptions, rates: RateTable, hosts: SharedHosts) {
    self.options = options
    self.rates = rates
    places = hosts.places
    // A little wider than asked for, so that a window of 10 s holds no more than 10 s of requests
    // although the network delays one request more than another, by up to 0.2 s in all.
    spacing = options.requestsPerSecondPerHost.map { 1.02 / $0 } ?? 0
    breaker = CircuitBreaker(
      failures: options.breakerFailures, pause: options.breakerPause,
      // All that an exchange may take, and what a busy machine adds.
      longestProbe: options.totalDeadline + 5, hosts: hosts)
  }

  /// Asks for the start of an exchange; `crawlDelay` is the origin's wish, in seconds.
  ///
  /// One that starts has a place at its host, until `left`.
  package func admit(_ url: FetchURL, crawlDelay: Double?, now: Double) -> Admission {
    if isWanted(away: url, now: now) { return .drop }
    switch breaker.state(of: url.hostKey, now: now) {
    case .open: return .drop
    // Woken by the end of our own probe; that of another process is asked after.
    case .probing:
      return probes.contains(url.hostKey) ? .sleep : .wait(until: now + Self.probePatience)
    case .closed, .halfOpen: break
    }
    guard places.claim(url.hostKey, limit: options.connectionsPerHost, now: now) else {
      return .wait(until: now + HostPlaces.patience)
    }
    let delay = min(crawlDelay ?? 0, options.crawlDelayCap)
    let due = rates.claim(url.rateKey, spacing: max(spacing, delay), now: now)
    guard let due else { return .start }
    places.release(url.hostKey)
    return .wait(until: due)
  }

  /// Says to the other processes that this one works, so that its places count.
  package func beat(now: Double) { places.beat(now: now) }

  /// Gives back the place that `admit` took.
  package func left(_ url: FetchURL) { places.release(url.hostKey) }

  /// Whether requests to a host are refused now, by its breaker or by its own wish.
  package func isAway(_ url: FetchURL, now: Double) -> Bool {
    if isWanted(away: url, now: now) { return true }
    if case .open = breaker.state(of: url.hostKey, now: now) { return true }
    return false
  }

  private func isWanted(away url: FetchURL, now: Double) -> Bool {
    requests[url.host].map { now < $0.until } ?? false
  }

  /// Why a host is not asked now, with the status that said so; nil where nothing speaks against it.
  package func refusal(
    of url: FetchURL, now: Double
  ) -> (failure: FetchFailure, status: Int?, detail: String)? {
    if let absence = requests[url.host], now < absence.until {
      let seconds = Int(min((absence.until - now).rounded(.up), RetryAfter.longest))
      return (
        .httpStatus, absence.status,
        "not asked: the host answered \(absence.status) and wants \(seconds) s more without requests"
      )
    }
    return breaker.refusal(of: url.hostKey, now: now).map { ($0.failure, nil, $0.detail) }
  }

  /// Whether a silent request is the odd one at a host that answers others quickly.
  ///
  /// It is when one that was sent after it has been answered; `began` is when it was sent.
  package func isOdd(_ url: FetchURL, began: Double) -> Bool {
    answers[url.host].map { $0.latestBegan > began && $0.usual < Self.quick } ?? false
  }

  /// A host whose first byte takes longer is slow, and silence there is nothing odd; seconds.
  private static let quick = 0.25

  /// Notes a start; true for a probe.
  package mutating func began(_ url: FetchURL, now: Double) -> Bool {
    guard breaker.state(of: url.hostKey, now: now) == .halfOpen,
      breaker.beginProbe(url.hostKey, now: now)
    else { return false }
    probes.insert(url.hostKey)
    return true
  }

  /// Notes that an exchange was broken off by us.
  package mutating func abandoned(_ url: FetchURL, isProbe: Bool, now: Double) {
    if isProbe { endProbe(url, now: now) }
  }

  private mutating func endProbe(_ url: FetchURL, now: Double) {
    probes.remove(url.hostKey)
    breaker.endProbe(url.hostKey, now: now)
  }

  /// Notes how an exchange ended; true when the host is to be left alone from now on.
  ///
  /// `status` is 0 when no answer came, and `failure` libcurl's, if any. A timeout inside a body
  /// says nothing against the host, nor does one where a request that was sent later was answered:
  /// what hangs piles up in a host's places, and ends in a row, however well the host is.
  package mutating func ended(
    _ url: FetchURL, status: Int, failure: FetchFailure?, isProbe: Bool, began: Double, now: Double
  ) -> Bool {
    if isProbe { probes.remove(url.hostKey) }
    if status != 0 {
      breaker.answered(url.hostKey)
      noteAnswer(of: url.host, began: began, after: nil)
      if status != 429, status != 503 { throttles[url.host] = nil }
      return false
    }
    if let failure, failure == .connect || failure == .timeout {
      if !isProbe, let latest = answers[url.host]?.latestBegan, latest > began { return false }
      return breaker.failed(url.hostKey, failure, isProbe: isProbe, now: now)
    }
    if isProbe { endProbe(url, now: now) }
    return false
  }

  /// Takes down how long a first byte took.
  ///
  /// Requests that were sent well spread may be held up and arrive in one burst, at a server that
  /// stalled or behind a slow connection. Where a host has a rate, one that took longer than its
  /// quickest pauses the host by the difference, so that burst and what follows keep the rate too.
  package mutating func heard(_ url: FetchURL, after seconds: Double, now: Double) {
    noteAnswer(of: url.host, began: -.infinity, after: seconds)
    guard spacing > 0, seconds > 0 else { return }
    if quickest.count >= Self.hostLimit { quickest.removeAll() }
    let usual = min(quickest[url.host] ?? seconds, seconds)
    quickest[url.host] = usual
    let pause = min(seconds - usual - Self.lateness, Self.longestCatchUp)
    if pause > 0 { rates.pause(url.rateKey, until: now + pause, now: now) }
  }

  private mutating func noteAnswer(of host: String, began: Double, after seconds: Double?) {
    if answers.count >= Self.hostLimit, answers[host] == nil { answers.removeAll() }
    var known = answers[host] ?? Answers(latestBegan: began, usual: seconds ?? 0)
    known.latestBegan = max(known.latestBegan, began)
    if let seconds { known.usual += (seconds - known.usual) / 8 }
    answers[host] = known
  }

  /// How long a host pauses after an error status, for all processes that share its rate.
  ///
  /// `Retry-After` is obeyed with any status that may heal. Without it a 429 or a 503 pauses the
  /// host for `backoffBase`, twice as long each time that the next answers are of the kind again.
  /// Answers to exchanges that `began` before the host's pause did make it no longer. A wish beyond
  /// `retryAfterCap` is obeyed by not asking until then: see `refusal(of:now:)`. Seconds, or nil for
  /// none.
  package mutating func pause(
    _ url: FetchURL, status: Int, retryAfter: Double?, began: Double, now: Double
  ) -> Double? {
    var seconds = retryAfter
    if seconds == nil, status == 429 || status == 503 {
      var throttle = throttles[url.host] ?? Throttle()
      guard began >= throttle.pausedUntil else { return max(0, throttle.pausedUntil - now) }
      let doublings = Double(sign: .plus, exponent: min(throttle.count, 60), significand: 1)
      seconds = options.backoffBase * doublings
      throttle.count += 1
      throttle.pausedUntil = now + min(options.backoffBase * doublings, options.retryAfterCap)
      throttles[url.host] = throttle
    }
    guard let seconds else { return nil }
    let pause = min(seconds, options.retryAfterCap)
    if seconds > options.retryAfterCap {
      if requests.count >= Self.hostLimit { requests = requests.filter { $0.value.until > now } }
      requests[url.host] = Absence(until: now + seconds, status: status)
    }
    rates.pause(url.rateKey, until: now + pause, now: now)
    return pause
  }
}

extension FetchOptions {
  /// The furthest ahead that a rate or a pause of these options puts a host's next start; seconds.
  var longestSpacing: Double {
    max(requestsPerSecondPerHost.map { 1.02 / $0 } ?? 0, crawlDelayCap, retryAfterCap) + 10
  }
}
