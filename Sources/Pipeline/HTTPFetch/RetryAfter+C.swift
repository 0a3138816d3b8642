import CCurl

/// Reads a `Retry-After` value: delay seconds, or an HTTP date (RFC 9110 §10.2.3).
package enum RetryAfter {
  /// Seconds to wait from `now` on.
  ///
  /// - Parameters:
  ///   - value: The header's value.
  ///   - now: Seconds since 1970 by this machine's clock.
  /// - Returns: At least 0; nil for what is neither form.
  package static func seconds(_ value: String, now: Double) -> Double? {
    let digits = value.utf8.allSatisfy { (0x30...0x39).contains($0) }
    if !value.isEmpty, digits { return Double(value) }
    // libcurl's parser knows the three forms of RFC 9110 §5.6.7; its second argument is unused.
    let date = unsafe curl_getdate(value, nil)
    return date == -1 ? nil : max(0, Double(date) - now)
  }
}
