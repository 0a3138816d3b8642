/// Why a URL gave no body: the classes that a run counts by.
public enum FetchFailure: String, Codable, Sendable, CaseIterable, Error {
  /// Not an http or https URL that could be asked for; nothing was sent.
  case badURL = "bad_url"
  /// The host's addresses are all ones that the address guard refuses.
  case addressRefused = "address_refused"
  /// The host's name could not be looked up now: the resolver failed, or asked to try again.
  case dns
  /// There is no such host: the resolver's definite no.
  case noSuchHost = "no_such_host"
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
  /// The first bytes of the body are no picture; the rest was not asked for.
  case notAnImage = "not_an_image"
  /// The first bytes are a picture of a kind that is not decoded.
  case unsupportedFormat = "unsupported_format"
  /// An X-Robots-Tag header refuses the use; the body was not kept.
  case robots
  /// The origin's robots.txt disallows the path (RFC 9309); nothing was asked for.
  case robotsTxt = "robots_txt"
  /// The rights to text and data mining are reserved (TDMRep, ai.txt).
  case tdmReserved = "tdm_reserved"
  /// A usage preference disallows training (IETF AIPREF, Content-Usage).
  case contentUsage = "content_usage"
  /// The host is on the list of denied hosts, or not on that of allowed ones.
  case hostDenied = "host_denied"

  /// Whether another attempt might end otherwise.
  ///
  /// False for `httpStatus`, where it depends on the status: ask `FetchResult.isTransient`.
  public var isTransient: Bool {
    switch self {
    case .dns, .connect, .timeout, .incomplete: true
    case .badURL, .addressRefused, .noSuchHost, .tls, .tooLarge, .redirect, .protocolError,
      .httpStatus, .notAnImage, .unsupportedFormat, .robots, .robotsTxt, .tdmReserved,
      .contentUsage, .hostDenied:
      false
    }
  }
}
