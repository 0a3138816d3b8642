/// How a host wants to be asked: how often, after which pause, and not at all while it is dead.
///
/// Lives on the loop thread. A host is scheme, host and port here, as in `FetchURL.host`.
struct HostManners {
  private struct Throttle {
    /// Answers 429 or 503 in a row that came to requests sent after the pause for the one before.
    var count = 0
    var pausedUntil = -Double.infinity
  }

  private let rates: RateTable
  private let spacing: Double
  private let options: FetchOptions
  private(set) var breaker: CircuitBreaker
  private var throttles: [String: Throttle] = [:]

  init(options: FetchOptions, rates: RateTable) {
    self.options = options
    self.rates = rates
    // A little wider than asked for, so that a window of 10 s holds no more than 10 s of requests
    // although the network delays one request more than another, by up to 0.2 s.
    spacing = options.requestsPerSecondPerHost.map { 1.02 / $0 } ?? 0
    breaker = CircuitBreaker(failures: options.breakerFailures, pause: options.breakerPause)
  }

  /// Asks for the start of an exchange; `crawlDelay` is the origin's wish, in seconds.
  func admit(_ url: FetchURL, crawlDelay: Double?, now: Double) -> Admission {
    switch breaker.state(of: url.host, now: now) {
    case .open: return .drop
    case .probing: return .sleep
    case .closed, .halfOpen: break
    }
    let delay = min(crawlDelay ?? 0, options.crawlDelayCap)
    let due = rates.claim(url.rateKey, spacing: max(spacing, delay), now: now)
    return due.map { .wait(until: $0) } ?? .start
  }

  /// Notes a start; true for a probe.
  mutating func began(_ url: FetchURL, now: Double) -> Bool {
    guard breaker.state(of: url.host, now: now) == .halfOpen else { return false }
    breaker.beginProbe(url.host)
    return true
  }

  /// Notes that an exchange was broken off by us.
  mutating func abandoned(_ url: FetchURL, isProbe: Bool) {
    if isProbe { breaker.endProbe(url.host) }
  }

  /// Notes how an exchange ended; true when the host is to be left alone from now on.
  ///
  /// `status` is 0 when no answer came, and `failure` libcurl's, if any. A timeout inside a body
  /// says nothing against the host.
  mutating func ended(
    _ url: FetchURL, status: Int, failure: FetchFailure?, isProbe: Bool, now: Double
  ) -> Bool {
    if status != 0 {
      breaker.answered(url.host)
      if status != 429, status != 503 { throttles[url.host] = nil }
      return false
    }
    if let failure, failure == .connect || failure == .timeout {
      return breaker.failed(url.host, failure, isProbe: isProbe, now: now)
    }
    if isProbe { breaker.endProbe(url.host) }
    return false
  }

  /// How long a host pauses after an error status, for all processes that share its rate.
  ///
  /// `Retry-After` is obeyed with any status that may heal. Without it a 429 or a 503 pauses the
  /// host for `backoffBase`, twice as long each time that the next answers are of the kind again.
  /// Answers to exchanges that `began` before the host's pause did make it no longer. Seconds, or
  /// nil for none.
  mutating func pause(
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
    rates.pause(url.rateKey, until: now + pause, now: now)
    return pause
  }
}

extension FetchOptions {
  /// The furthest ahead that a rate or a pause of these options puts a host's next start; seconds.
  var longestSpacing: Double {
    max(requestsPerSecondPerHost.map { 1.02 / $0 } ?? 0, crawlDelayCap, retryAfterCap) + 1
  }
}
