import CCurl
package import CrawlPolicy
import Glibc

/// A URL that may be asked for: http or https, a host, ASCII throughout, without fragment.
package struct FetchURL: Sendable, Equatable {
  package let text: String
  /// Scheme, host and port: what the limit on connections counts by.
  package let host: String
  package let isSecure: Bool
  /// The host alone: in lower case and ASCII (IDNA's A-labels), an IPv6 address without brackets.
  package let name: String
  package let port: Int
  /// The host, where it is an address.
  package let address: IPAddress?
  /// Path and query, as they are sent.
  package var path: String {
    let bytes = text.utf8
    let authority = bytes.dropFirst(isSecure ? 8 : 7)  // behind "https://" or "http://"
    return String(text[(authority.firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex)...])
  }
  /// Scheme, host and, where it is not the scheme's own, port.
  package var origin: String {
    let host = name.contains(":") ? "[\(name)]" : name
    return (isSecure ? "https://" : "http://") + host
      + (port == (isSecure ? 443 : 80) ? "" : ":\(port)")
  }
  /// The same for the URLs whose requests keep one rate: those of a host and port.
  ///
  /// http and https on their usual ports are one: a list's old http URLs redirect there.
  package let rateKey: UInt64
  /// The same for the URLs whose transfers share places and a circuit: those of a `host`; not 0.
  package let hostKey: UInt64

  /// Longer ones are refused; servers commonly stop at 8 KiB.
  package static let maxLength = 16 << 10

  /// Checks and normalises a URL of a list, or a redirect's target.
  ///
  /// Blanks around it are dropped; characters outside ASCII and blanks in path and query are
  /// percent-encoded, as browsers do; names outside ASCII become IDNA's A-labels. nil for all that
  /// is no such URL, `ftp:`, `data:`, `javascript:` and text with control characters included.
  /// No connection is made, no name looked up.
  /// - Parameters:
  ///   - reference: The URL, absolute or relative.
  ///   - base: The URL that answered with the reference, for a relative one.
  package init?(_ reference: String, relativeTo base: FetchURL? = nil) {
    guard let prepared = Self.prepare(reference, isAbsolute: base == nil),
      let url = unsafe curl_url()
    else { return nil }
    defer { unsafe curl_url_cleanup(url) }
    // Safe: libcurl copies what it is given, and `url` lives until the end of this scope.
    if let base, unsafe curl_url_set(url, CURLUPART_URL, base.text, 0) != CURLUE_OK { return nil }
    let encode = UInt32(CURLU_URLENCODE)
    guard unsafe curl_url_set(url, CURLUPART_URL, prepared, encode) == CURLUE_OK,
      unsafe curl_url_set(url, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK,
      let scheme = unsafe Self.part(CURLUPART_SCHEME, of: url)?.lowercased(),
      scheme == "http" || scheme == "https",
      let host = unsafe Self.host(of: url),
      let port = unsafe Self.part(CURLUPART_PORT, of: url, flags: UInt32(CURLU_DEFAULT_PORT)),
      let number = Int(port), (1...65535).contains(number),
      let text = unsafe Self.part(CURLUPART_URL, of: url)
    else { return nil }
    self.text = text
    self.host = "\(scheme)://\(host):\(port)"
    isSecure = scheme == "https"
    name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    self.port = number
    address = IPAddress(name)
    // RFC 4291 §2.5.5.1 gave up IPv4-compatible addresses such as [::bad]: in lists, typing errors.
    if let address, address.isV4Compatible { return nil }
    if address == nil, !Self.isName(name) { return nil }
    let usual = isSecure ? 443 : 80
    hostKey = max(1, Self.hash(self.host))
    rateKey = Self.hash(number == usual ? name : "\(name):\(number)")
  }

  /// The reference without blanks around it, those in its query encoded; nil for what libcurl would
  /// take although it is no http URL.
  private static func prepare(_ reference: String, isAbsolute: Bool) -> String? {
    var bytes = Array(reference.utf8)[...]
    bytes = bytes.drop { $0 == 0x20 }
    while bytes.last == 0x20 { bytes.removeLast() }
    guard !bytes.isEmpty, bytes.count <= maxLength, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { return nil }
    if isAbsolute {
      // libcurl, like browsers, reads "http:/x" and "http:///x" as "http://x"; RFC 3986 does not.
      let start = bytes.prefix(9).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
      let scheme = start.starts(with: "https://".utf8) ? 8 : 7
      guard scheme == 8 || start.starts(with: "http://".utf8),
        start.count == scheme || start[scheme] != UInt8(ascii: "/")
      else { return nil }
    }
    // libcurl writes a blank in a query as "+", which only a form means; elsewhere it is %20.
    if let query = bytes.firstIndex(of: UInt8(ascii: "?")), bytes[query...].contains(0x20) {
      let escaped = bytes[query...].flatMap { $0 == 0x20 ? Array("%20".utf8) : [$0] }
      bytes = bytes[..<query] + escaped
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The host in lower case; one outside ASCII is replaced in `url` by its A-labels.
  private static func host(of url: OpaquePointer) -> String? {
    guard let host = unsafe part(CURLUPART_HOST, of: url), !host.isEmpty else { return nil }
    if host.utf8.allSatisfy({ $0 < 0x80 }) { return host.lowercased() }
    let aLabels = UnicodeLocale.use {
      unsafe part(CURLUPART_HOST, of: url, flags: UInt32(CURLU_PUNYCODE))
    }
    guard let ascii = aLabels, unsafe curl_url_set(url, CURLUPART_HOST, ascii, 0) == CURLUE_OK
    else { return nil }
    return ascii.lowercased()
  }

  /// Whether this may be a host's name.
  ///
  /// Letters, digits, hyphens, dots, and the underscores that some have. Not one whose last label is
  /// a number: no such domain exists, it is an address gone wrong (WHATWG URL §3.5).
  private static func isName(_ name: String) -> Bool {
    let bytes = name.utf8.last == UInt8(ascii: ".") ? name.utf8.dropLast() : name.utf8[...]
    let isClean = bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    let last = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last
    let isNumber = last?.allSatisfy { (0x30...0x39).contains($0) } ?? true
    return isClean && !isNumber
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

/// The locale in which libidn2 reads UTF-8 whatever this process's own locale is.
private enum UnicodeLocale {
  // Sendable: made once, never changed nor freed.
  nonisolated(unsafe) private static let locale = unsafe newlocale(
    1 << Int32(LC_CTYPE), "C.UTF-8", nil)

  /// Runs on this thread in that locale; in its own where the system lacks it.
  static func use<Result>(_ body: () -> Result) -> Result {
    guard let locale = unsafe locale else { return body() }
    // Safe: a locale that lives for ever; the thread's own one comes back.
    let before = unsafe uselocale(locale)
    defer { unsafe _ = uselocale(before) }
    return body()
  }
}
