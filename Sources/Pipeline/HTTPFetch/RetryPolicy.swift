/// When a failed attempt is tried again, and how long to wait before.
package struct RetryPolicy: Sendable {
  package var attempts: Int
  /// Tries that may end in a timeout: who hung twice seldom answers, and each costs a deadline.
  package var timeoutAttempts: Int
  package var base: Double
  package var cap: Double

  package init(attempts: Int, timeoutAttempts: Int = .max, base: Double, cap: Double) {
    self.attempts = attempts
    self.timeoutAttempts = timeoutAttempts
    self.base = base
    self.cap = cap
  }

  /// Seconds to wait before the next attempt, or nil when this failure is final.
  ///
  /// `timeouts` counts the attempts so far that ended in a timeout, this one included.
  /// Exponential backoff with full jitter: uniform in 0 ..< min(cap, base · 2ⁿ⁻¹) after attempt n
  /// (Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015).
  package func delay(
    afterAttempt attempt: Int, timeouts: Int = 0, failure: FetchFailure, status: Int?,
    retryAfter: Double?, random: inout some RandomNumberGenerator
  ) -> Double? {
    guard Self.isTransient(failure, status: status) else { return nil }
    // Most names that do not resolve are gone for good: one more try suffices for a hiccup.
    guard attempt < (failure == .dns ? min(attempts, 2) : attempts) else { return nil }
    guard failure != .timeout || timeouts < timeoutAttempts else { return nil }
    let ceiling = min(
      cap, base * Double(sign: .plus, exponent: min(attempt - 1, 60), significand: 1))
    let backoff = ceiling > 0 ? Double.random(in: 0..<ceiling, using: &random) : 0
    return max(backoff, retryAfter ?? 0)
  }

  package static func isTransient(_ failure: FetchFailure, status: Int?) -> Bool {
    guard failure == .httpStatus, let status else { return failure.isTransient }
    return transientStatuses.contains(status)
  }

  /// Request Timeout, Too Early, Too Many Requests, and the server errors that may heal.
  ///
  /// 520 to 524 are a content network's words for a failing origin. `DropReason.failureClass` has
  /// the same list.
  package static let transientStatuses: Set<Int> = Set([408, 425, 429, 500, 502, 503, 504, 507])
    .union(520...524)
}
