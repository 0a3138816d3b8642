import ContentHashing
public import PairDataset

/// The stable name of a pair: the first 128 bits of SHA-256 over its normalised URL, a line feed and
/// its caption, as 32 hexadecimal digits.
///
/// It depends on nothing but the pair, so reruns, other chunk sizes and resharding keep it.
public enum PairIdentity {
  public static func uid(normalizedURL: String, caption: String) -> String {
    ContentHash.hex(
      Array(ContentHash.sha256(Array((normalizedURL + "\n" + caption).utf8)).prefix(16)))
  }

  /// The name of a pair of any shard, Pairloom's own or foreign.
  ///
  /// The JSON's `uid`, else that of the JSON's URL and the caption, else the first 128 bits of SHA-256
  /// over picture and caption.
  ///
  /// - Parameter pair: As it was read.
  /// - Returns: 32 hexadecimal digits, or the `uid` as it stands.
  public static func uid(of pair: Pair) -> String {
    var metadata: JSONValue?
    // A foreign shard's JSON may be anything; without it picture and caption are the identity.
    do throws(JSONError) { metadata = try JSONValue.parse(pair.metadata) } catch {}
    if let uid = metadata?["uid"]?.text { return uid }
    if let url = metadata?["url"]?.text, let normalized = NormalizedURL.normalize(url) {
      return uid(normalizedURL: normalized, caption: pair.caption)
    }
    return ContentHash.hex(
      Array(ContentHash.sha256(pair.image + Array(pair.caption.utf8)).prefix(16)))
  }
}

/// The one spelling under which equal URLs are equal (RFC 3986 §6.2.2 and §6.2.3).
///
/// Scheme and host in lower case, percent-encodings in upper case, the scheme's default port, an
/// empty path's slash, and the fragment, which never reaches a server, dropped; blanks around it too. Nothing that a
/// server may tell apart is touched: user, path, query and dots stay.
public enum NormalizedURL {
  /// The normalised text, or nil for what cannot be fetched: no http or https URL with a host.
  public static func normalize(_ url: String) -> String? {
    let blanks: Set<UInt8> = [0x20, 0x09]
    var bytes = Array(url.utf8.drop { blanks.contains($0) })
    while let last = bytes.last, blanks.contains(last) { bytes.removeLast() }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
    guard scheme == "http" || scheme == "https",
      bytes[colon...].starts(with: "://".utf8)
    else { return nil }
    let rest = bytes[(colon + 3)...]
    let end = rest.firstIndex { "/?#\\".utf8.contains($0) } ?? rest.endIndex
    guard let authority = normalize(authority: rest[..<end], scheme: scheme) else { return nil }
    var tail = Array(rest[end...])
    if let fragment = tail.firstIndex(of: UInt8(ascii: "#")) { tail = Array(tail[..<fragment]) }
    if tail.first != UInt8(ascii: "/") { tail.insert(UInt8(ascii: "/"), at: 0) }
    return String(
      decoding: Array((scheme + "://").utf8) + authority + upperCasedEscapes(tail), as: UTF8.self)
  }

  private static func normalize(authority: ArraySlice<UInt8>, scheme: String) -> [UInt8]? {
    var user: ArraySlice<UInt8> = []
    var host = authority
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      user = authority[...at]
      host = authority[(at + 1)...]
    }
    var port: ArraySlice<UInt8> = []
    let bracket = host.lastIndex(of: UInt8(ascii: "]")) ?? (host.startIndex - 1)
    if let colon = host.lastIndex(of: UInt8(ascii: ":")), colon > bracket {
      port = host[(colon + 1)...]
      host = host[..<colon]
    }
    guard !host.isEmpty, isHost(host) else { return nil }
    if !port.isEmpty {
      guard let number = Int(String(decoding: port, as: UTF8.self)), (1...65_535).contains(number),
        port.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
      else { return nil }
      if number == (scheme == "http" ? 80 : 443) { port = [] }
    }
    let lower = host.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    return Array(user) + lower + (port.isEmpty ? [] : [UInt8(ascii: ":")] + port)
  }

  /// No white space, control characters or delimiters; brackets only around an IPv6 address.
  private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
    if host.first == UInt8(ascii: "[") {
      // At least two colons and only what RFC 4291 and RFC 6874 allow; the fetcher parses it in full.
      let inside = host.dropFirst().dropLast()
      return host.last == UInt8(ascii: "]") && inside.filter { $0 == UInt8(ascii: ":") }.count > 1
        && inside.allSatisfy { "0123456789abcdefABCDEF:.%".utf8.contains($0) }
    }
    return host.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"\"<>[]^`{|}:".utf8.contains($0) }
  }

  private static func upperCasedEscapes(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    var index = 0
    while index + 2 < result.count {
      if result[index] == UInt8(ascii: "%"), isHexadecimal(result[index + 1]),
        isHexadecimal(result[index + 2])
      {
        for place in index + 1...index + 2 where result[place] >= 0x61 { result[place] &= 0xDF }
        index += 3
      } else {
        index += 1
      }
    }
    return result
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
  }
}
