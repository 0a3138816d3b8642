/// What Python 3.11's urllib says of a failed request, which img2dataset writes down as it is.
///
/// Source: CPython's urllib/request.py, urllib/parse.py, http/client.py and what they said of a
/// server that failed in each of these ways. Where one of our classes stands for several of theirs,
/// libcurl's words tell them apart, else the commonest is given; nil where there is none.
package enum UrllibWords {
  /// A reset, or an end before the end.
  ///
  /// - Parameters:
  ///   - detail: libcurl's words.
  ///   - received: Bytes of the body that came.
  /// - Returns: The message.
  package static func incomplete(detail: String, received: Int) -> String {
    if detail.contains("Empty reply") { return "Remote end closed connection without response" }
    // "transfer closed with N bytes remaining to read"
    if let match = detail.firstMatch(of: /closed with ([0-9]+) bytes remaining/) {
      return "IncompleteRead(\(received) bytes read, \(match.1) more expected)"
    }
    // Of a body in chunks http.client counts those that came whole, and few servers send several.
    if detail.contains("outstanding read data") { return "IncompleteRead(0 bytes read)" }
    return "[Errno 104] Connection reset by peer"
  }

  /// A failed handshake.
  ///
  /// - Parameters:
  ///   - detail: libcurl's words, with those of OpenSSL.
  ///   - host: The name that the certificate should have.
  /// - Returns: The message.
  package static func tls(detail: String, host: String) -> String {
    func error(_ name: String, _ words: String) -> String {
      "<urlopen error [SSL: \(name)] \(words) (_ssl.c:1006)>"
    }
    func unverified(_ words: String) -> String {
      error("CERTIFICATE_VERIFY_FAILED", "certificate verify failed: " + words)
    }
    if let match = detail.firstMatch(of: /SSL certificate problem: (.+)/) {
      return unverified(String(match.1))
    }
    if detail.contains("target host name") {
      let isAddress = host.contains(":") || host.allSatisfy { $0 == "." || $0.isNumber }
      return unverified(
        "\(isAddress ? "IP address" : "Hostname") mismatch, certificate is not valid for '\(host)'."
      )
    }
    if detail.contains("reset by peer") {
      return "<urlopen error [Errno 104] Connection reset by peer>"
    }
    // "error:0A00010B:SSL routines::wrong version number"
    if let match = detail.firstMatch(of: /error:[0-9A-F]+:SSL routines:[^:]*:(.+)/),
      !match.1.contains("unexpected eof")
    {
      let words = String(match.1)
      return error(String(words.uppercased().map { $0 == " " ? "_" : $0 }), words)
    }
    return error("UNEXPECTED_EOF_WHILE_READING", "EOF occurred in violation of protocol")
  }

  /// A redirect that leads nowhere.
  ///
  /// - Parameters:
  ///   - detail: The fetcher's words.
  ///   - status: Of the redirect.
  /// - Returns: The message.
  package static func redirect(detail: String, status: Int) -> String {
    let phrase = ReasonPhrase.of(status)
    let error = "HTTP Error \(status): "
    if detail.hasPrefix("to ") {
      return error + "\(phrase) - Redirection to url '\(detail.dropFirst(3))' is not allowed"
    }
    if detail.hasSuffix("without Location") { return error + phrase }
    return error
      + "The HTTP server returned a redirect error that would lead to an infinite loop.\n"
      + "The last 30x error message was:\n\(phrase)"
  }

  /// A text that is no URL of HTTP.
  package static func badURL(_ text: String) -> String? {
    let url = text.drop { $0.isWhitespace }
    guard let colon = url.firstIndex(of: ":"), colon != url.startIndex,
      !url[..<colon].contains("/")
    else { return "unknown url type: \(PythonJSON.quoted(String(url)))" }
    let scheme = url[..<colon].lowercased()
    guard ["http", "https"].contains(scheme) else {
      return "<urlopen error unknown url type: \(scheme)>"
    }
    let rest = url[url.index(after: colon)...]
    let authority = rest.dropFirst(2).prefix { !"/?#".contains($0) }
    guard rest.hasPrefix("//"), !authority.isEmpty else { return "<urlopen error no host given>" }
    func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value <= 0x20 || scalar == "\u{7F}" }
    let name = authority.split(separator: "@").last ?? authority
    let bracket = name.lastIndex(of: "]") ?? name.startIndex
    if let colon = name.lastIndex(of: ":"), colon >= bracket {
      let port = name[name.index(after: colon)...]
      if !port.allSatisfy({ $0.isASCII && $0.isNumber }) {
        return "nonnumeric port: \(PythonJSON.quoted(String(port)))"
      }
    }
    for part in [name, rest[authority.endIndex...].prefix { $0 != "#" }] {
      guard let first = part.unicodeScalars.first(where: isControl) else { continue }
      return "URL can't contain control characters. \(PythonJSON.quoted(String(part)))"
        + " (found at least \(PythonJSON.quoted(String(first))))"
    }
    return nil
  }
}
