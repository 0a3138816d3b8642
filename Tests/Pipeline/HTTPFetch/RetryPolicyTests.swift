import HTTPFetch
import Testing

@Suite struct RetryPolicyTests {
  let policy = RetryPolicy(attempts: 4, base: 0.5, cap: 1.5)

  func delay(
    _ attempt: Int, _ failure: FetchFailure = .timeout, status: Int? = nil,
    retryAfter: Double? = nil, seed: UInt64 = 0
  ) -> Double? {
    var random = SplitMix(state: seed)
    return policy.delay(
      afterAttempt: attempt, failure: failure, status: status, retryAfter: retryAfter,
      random: &random)
  }

  @Test("the wait is spread over 0 ..< base · 2ⁿ⁻¹, up to the cap", arguments: 1...3)
  func jitter(attempt: Int) throws {
    let ceiling = [0.5, 1, 1.5][attempt - 1]
    let delays = (0..<500).compactMap { delay(attempt, seed: $0) }
    #expect(delays.allSatisfy { 0 <= $0 && $0 < ceiling })
    // 500 uniform draws miss a given tenth of the range with probability 0.9⁵⁰⁰ < 1e-22.
    #expect(try #require(delays.min()) < 0.1 * ceiling)
    #expect(try #require(delays.max()) > 0.9 * ceiling)
  }

  @Test("the last attempt is final")
  func attempts() {
    #expect(delay(3) != nil)
    #expect(delay(4) == nil)
  }

  @Test("a name that does not resolve is tried once more only")
  func dns() {
    #expect(delay(1, .dns) != nil)
    #expect(delay(2, .dns) == nil)
  }

  @Test("Retry-After is a lower bound")
  func retryAfter() {
    #expect(delay(1, .httpStatus, status: 429, retryAfter: 7) == 7)
    let none = delay(2, .httpStatus, status: 503, seed: 3)
    #expect(delay(2, .httpStatus, status: 503, retryAfter: 0, seed: 3) == none)
  }

  @Test("statuses are transient or final", arguments: 300..<600)
  func statuses(status: Int) {
    let expected =
      [408, 425, 429, 500, 502, 503, 504, 507].contains(status) || (520...524).contains(status)
    #expect(RetryPolicy.isTransient(.httpStatus, status: status) == expected)
    #expect((delay(1, .httpStatus, status: status) != nil) == expected)
  }

  @Test("each class is transient or final", arguments: FetchFailure.allCases)
  func classes(failure: FetchFailure) {
    let transient: Set<FetchFailure> = [.dns, .connect, .timeout, .incomplete]
    #expect(failure.isTransient == transient.contains(failure))
    #expect((delay(1, failure) != nil) == failure.isTransient)
  }

  @Test(
    "Retry-After is read as seconds or as any of HTTP's dates",
    arguments: [
      ("0", 0), ("120", 120), ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 37), ("Sun Nov  6 08:49:37 1994", 37),
      ("Sun, 06 Nov 1994 08:48:00 GMT", 0), ("", nil), ("soon", nil), ("-5", nil), ("1.5", nil),
      ("99999999999999999999", 1e9), (String(repeating: "9", count: 400), 1e9), ("inf", nil),
      ("nan", nil), ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
    ] as [(String, Double?)])
  func retryAfterForms(value: String, expected: Double?) {
    // 784111740 is 1994-11-06 08:49:00 UTC.
    #expect(RetryAfter.seconds(value, now: 784_111_740) == expected)
  }
}
