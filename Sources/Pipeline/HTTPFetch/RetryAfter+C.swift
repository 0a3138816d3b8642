import CCurl

/// Reads a `Retry-After` value: delay seconds, or an HTTP date (RFC 9110 §10.2.3).
package enum RetryAfter {
  /// What longer wishes are cut to, seconds: thirty years, which fit every number that they become.
  package static let longest = 1e9

  /// Seconds to wait from `now` on.
  ///
  /// - Parameters:
  ///   - value: The header's value.
  ///   - now: Seconds since 1970 by this machine's clock.
  /// - Returns: From 0 to ``longest``; nil for what is neither form.
  package static func seconds(_ value: String, now: Double) -> Double? {
    let digits = value.utf8.allSatisfy { (0x30...0x39).contains($0) }
    if !value.isEmpty, digits { return Double(value).map { min($0, longest) } }
    // libcurl's parser knows the three forms of RFC 9110 §5.6.7; its second argument is unused.
    let date = unsafe curl_getdate(value, nil)
    return date == -1 ? nil : min(max(0, Double(date) - now), longest)
  }
}
