import CrawlPolicy

/// The one spelling under which equal URLs are equal (RFC 3986 §6.2.2 and §6.2.3).
///
/// Scheme and host in lower case, names outside ASCII in their ASCII form (RFC 5891), percent-encodings
/// in upper case, characters outside ASCII and blanks percent-encoded as they are sent (RFC 3987 §3.1),
/// the scheme's default port, an empty path's slash, and the fragment, which never reaches a server,
/// dropped; blanks around it too. Nothing that a server may tell apart is touched: user, path, query,
/// dots and the encoding of what needs none stay.
public enum NormalizedURL {
  /// The normalised text, or nil for what cannot be fetched: no http or https URL with a host.
  public static func normalize(_ url: String) -> String? {
    var result: [UInt8] = []
    return normalize(Array(url.utf8), into: &result) ? String(decoding: result, as: UTF8.self) : nil
  }

  /// The host of a URL without user and port, in lower case; nil for what cannot be fetched.
  public static func host(of url: String) -> String? {
    normalize(url).flatMap(host(ofNormalized:))
  }

  /// The same of a URL as it was asked for; nil where it has no scheme.
  public static func host(ofNormalized normalized: String) -> String? {
    guard let scheme = normalized.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let rest = normalized.utf8[scheme...].dropFirst(3)
    let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    let host = authority.split(separator: UInt8(ascii: "@")).last ?? authority
    if host.first == UInt8(ascii: "[") {
      return String(host.prefix { $0 != UInt8(ascii: "]") }.dropFirst())
    }
    return String(host.prefix { $0 != UInt8(ascii: ":") })
  }

  /// Puts the normalised form of `url`, which is UTF-8, in place of what `result` holds.
  ///
  /// False, and nothing of worth in `result`, for what cannot be fetched.
  public static func normalize(_ url: [UInt8], into result: inout [UInt8]) -> Bool {
    result.removeAll(keepingCapacity: true)
    var (start, end) = (0, url.count)
    while start < end, isBlank(url[start]) { start += 1 }
    while start < end, isBlank(url[end - 1]) { end -= 1 }
    guard let isSecure = scheme(url, start, end) else { return false }
    result += isSecure ? secure : plain
    let host = start + result.count
    var tail = host
    while tail < end, !isDelimiter(url[tail]) { tail += 1 }
    guard append(authority: url[host..<tail], isSecure: isSecure, to: &result) else { return false }
    if tail == end || url[tail] != UInt8(ascii: "/") { result.append(UInt8(ascii: "/")) }
    append(tail: url, tail, end, to: &result)
    return true
  }

  private static let plain = Array("http://".utf8)
  private static let secure = Array("https://".utf8)

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
      || byte == UInt8(ascii: "\\")
  }

  /// Whether the URL begins with `https://`; nil when with neither that nor `http://`.
  private static func scheme(_ url: [UInt8], _ start: Int, _ end: Int) -> Bool? {
    guard end - start >= plain.count else { return nil }
    let isSecure = url[start + 4] | 0x20 == UInt8(ascii: "s")
    let wanted = isSecure ? secure : plain
    guard end - start >= wanted.count else { return nil }
    for index in wanted.indices {
      let byte = url[start + index]
      guard (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == wanted[index] else { return nil }
    }
    return isSecure
  }

  private static func append(
    authority: ArraySlice<UInt8>, isSecure: Bool, to result: inout [UInt8]
  ) -> Bool {
    var host = authority
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      result += authority[...at]
      host = authority[(at + 1)...]
    }
    var port: ArraySlice<UInt8> = []
    let bracket = host.lastIndex(of: UInt8(ascii: "]")) ?? (host.startIndex - 1)
    if let colon = host.lastIndex(of: UInt8(ascii: ":")), colon > bracket {
      port = host[(colon + 1)...]
      host = host[..<colon]
    }
    guard !host.isEmpty, isHost(host) else { return false }
    if !port.isEmpty {
      guard port.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        let number = Int(String(decoding: port, as: UTF8.self)), (1...65_535).contains(number)
      else { return false }
      if number == (isSecure ? 443 : 80) { port = [] }
    }
    var isASCII = true
    let start = result.count
    for byte in host {
      isASCII = isASCII && byte < 0x80
      result.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }
    if !isASCII, let name = InternationalHost.ascii(host) {
      result.removeLast(result.count - start)
      result += name
    }
    if !port.isEmpty {
      result.append(UInt8(ascii: ":"))
      result += port
    }
    return true
  }

  /// No white space, control characters or delimiters; brackets only around an IPv6 address.
  private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
    if host.first == UInt8(ascii: "[") {
      // At least two colons and only what RFC 4291 and RFC 6874 allow; the fetcher parses it in full.
      let inside = host.dropFirst().dropLast()
      guard host.last == UInt8(ascii: "]"), inside.filter({ $0 == UInt8(ascii: ":") }).count > 1,
        inside.allSatisfy({ isHexadecimal($0) || ":.%".utf8.contains($0) })
      else { return false }
      // RFC 4291 §2.5.5.1 gave up `::1.2.3.4`: in a list `[::bad]` is a typing error, as the fetcher has it.
      return IPAddress(String(decoding: inside, as: UTF8.self))?.isV4Compatible != true
    }
    return host.allSatisfy { byte in
      switch byte {
      case 0...0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"),
        UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "^"), UInt8(ascii: "`"),
        UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: ":"):
        false
      default: true
      }
    }
  }

  /// Path and query up to the fragment.
  private static func append(tail url: [UInt8], _ start: Int, _ end: Int, to result: inout [UInt8])
  {
    var (index, run) = (start, start)
    while index < end {
      let byte = url[index]
      if byte > 0x25 && byte < 0x80 {
        index += 1
        continue
      }
      switch byte {
      case UInt8(ascii: "#"):
        result += url[run..<index]
        return
      case UInt8(ascii: "%")
      where index + 2 < end && isHexadecimal(url[index + 1]) && isHexadecimal(url[index + 2]):
        result += url[run...index]
        result.append(upper(url[index + 1]))
        result.append(upper(url[index + 2]))
        index += 3
        run = index
      case 0x20, 0x80...:
        result += url[run..<index]
        result.append(UInt8(ascii: "%"))
        result.append(digit(byte >> 4))
        result.append(digit(byte & 15))
        index += 1
        run = index
      default: index += 1
      }
    }
    result += url[run..<end]
  }

  private static func upper(_ byte: UInt8) -> UInt8 { byte >= 0x61 ? byte & 0xDF : byte }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
  }
}
