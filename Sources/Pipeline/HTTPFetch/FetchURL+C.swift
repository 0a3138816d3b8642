import CCurl
import CrawlPolicy

/// A URL that may be asked for: http or https, a host, ASCII throughout, without fragment.
package struct FetchURL: Sendable, Equatable {
  package let text: String
  /// Scheme, host and port: what the limit on connections counts by.
  package let host: String
  /// The host without scheme and port, an IPv6 address in brackets; lower case.
  package let name: String
  /// The same for the URLs whose requests keep one rate: those of a host and port.
  ///
  /// http and https on their usual ports are one: a list's old http URLs redirect there.
  package let rateKey: UInt64

  /// Longer ones are refused; servers commonly stop at 8 KiB.
  package static let maxLength = 16 << 10

  /// Checks and normalises a URL of a list, or a redirect's target.
  ///
  /// Blanks around it are dropped; characters outside ASCII and blanks in path and query are
  /// percent-encoded, as browsers do; names outside ASCII are left for libcurl's IDN. nil for all
  /// that is no such URL, `ftp:`, `data:`, `javascript:` and text with control characters included.
  /// No connection is made, no name looked up.
  /// - Parameters:
  ///   - reference: The URL, absolute or relative.
  ///   - base: The URL that answered with the reference, for a relative one.
  package init?(_ reference: String, relativeTo base: FetchURL? = nil) {
    let trimmed = reference.utf8.drop { $0 == 0x20 }
    var bytes = Array(trimmed)
    while bytes.last == 0x20 { bytes.removeLast() }
    guard !bytes.isEmpty, bytes.count <= Self.maxLength,
      bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { return nil }
    // libcurl, like browsers, reads "http:/x" and "http:///x" as "http://x"; RFC 3986 does not.
    let start = String(decoding: bytes.prefix(9), as: UTF8.self).lowercased()
    guard base != nil || start.wholeMatch(of: /https?:\/\/([^\/].*)?/) != nil else { return nil }
    // libcurl writes a blank in a query as "+", which only a form means; elsewhere it is %20.
    let query = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
    let escaped = bytes[query...].flatMap { $0 == 0x20 ? Array("%20".utf8) : [$0] }
    let prepared = String(decoding: bytes[..<query] + escaped, as: UTF8.self)

    guard let url = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(url) }
    // Safe: libcurl copies what it is given, and `url` lives until the end of this scope.
    if let base, unsafe curl_url_set(url, CURLUPART_URL, base.text, 0) != CURLUE_OK { return nil }
    let encode = UInt32(CURLU_URLENCODE)
    guard unsafe curl_url_set(url, CURLUPART_URL, prepared, encode) == CURLUE_OK,
      unsafe curl_url_set(url, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK,
      let scheme = unsafe Self.part(CURLUPART_SCHEME, of: url)?.lowercased(),
      scheme == "http" || scheme == "https",
      let host = unsafe Self.part(CURLUPART_HOST, of: url)?.lowercased(), !host.isEmpty,
      let port = unsafe Self.part(CURLUPART_PORT, of: url, flags: UInt32(CURLU_DEFAULT_PORT)),
      let number = Int(port), (1...65535).contains(number),
      !Self.isDeprecatedLiteral(host),
      let text = unsafe Self.part(CURLUPART_URL, of: url)
    else { return nil }
    self.text = text
    self.host = "\(scheme)://\(host):\(port)"
    self.name = host
    let usual = scheme == "http" ? 80 : 443
    self.rateKey = Self.hash(number == usual ? host : "\(host):\(port)")
  }

  /// Whether the host is an IPv4-compatible IPv6 literal such as `[::bad]`.
  ///
  /// RFC 4291 §2.5.5.1 gave them up, so in a list they are typing errors.
  private static func isDeprecatedLiteral(_ host: String) -> Bool {
    host.hasPrefix("[") && IPAddress(String(host.dropFirst().dropLast()))?.isV4Compatible == true
  }

  /// 64-bit FNV-1a, the same in every process.
  private static func hash(_ text: String) -> UInt64 {
    let sum = text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return sum ^ sum >> 32  // its low bits alone are weak, and they pick the word of a table
  }

  private static func part(_ part: CURLUPart, of url: OpaquePointer, flags: UInt32 = 0) -> String? {
    var value: UnsafeMutablePointer<CChar>?
    // Safe: on success libcurl hands over a NUL-terminated string, to be freed with curl_free.
    guard unsafe curl_url_get(url, part, &value, flags) == CURLUE_OK, let value = unsafe value
    else {
      return nil
    }
    defer { unsafe curl_free(value) }
    return unsafe String(cString: value)
  }
}
