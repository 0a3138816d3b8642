/// Why a URL gave no body: the classes that a run counts by.
public enum FetchFailure: String, Codable, Sendable, CaseIterable, Error {
  /// Not an http or https URL that could be asked for; nothing was sent.
  case badURL = "bad_url"
  /// The host's addresses are all ones that the address guard refuses.
  case addressRefused = "address_refused"
  /// The host's name did not resolve. libcurl does not tell "no such host" from "try again".
  case dns
  /// No connection: refused, unreachable, no route.
  case connect
  /// The TLS handshake or the certificate's check failed.
  case tls
  /// A deadline passed, or the transfer crawled below the lowest speed.
  case timeout
  /// The body, after decoding, is larger than the cap, or its Content-Length says so.
  case tooLarge = "too_large"
  /// Too many redirects, a redirect without a target, or to what may not be fetched.
  case redirect
  /// What came back is no valid HTTP: status line, chunks, content encoding, endless headers.
  case protocolError = "protocol"
  /// The connection ended before the answer did.
  case incomplete
  /// The final status was not 2xx; `FetchResult.status` has it.
  case httpStatus = "http_status"
  /// An X-Robots-Tag header refuses the use; the body was not kept.
  case robots

  /// Whether another attempt might end otherwise.
  ///
  /// False for `httpStatus`, where it depends on the status: ask `FetchResult.isTransient`.
  public var isTransient: Bool {
    switch self {
    case .dns, .connect, .timeout, .incomplete: true
    case .badURL, .addressRefused, .tls, .tooLarge, .redirect, .protocolError, .httpStatus,
      .robots:
      false
    }
  }
}
