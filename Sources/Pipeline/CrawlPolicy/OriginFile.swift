/// A file in which an origin (scheme, host, port) states what may be taken from it.
public enum OriginFile: String, Codable, Sendable, CaseIterable {
  /// RFC 9309, with crawl-delay and Content-Usage lines.
  case robotsTxt
  /// The W3C community group's TDM Reservation Protocol, "TDM File on the Origin Server".
  case tdmReservation
  /// Spawning's ai.txt.
  case aiTxt

  /// Where on the origin it lies.
  public var path: String {
    switch self {
    case .robotsTxt: "/robots.txt"
    case .tdmReservation: "/.well-known/tdmrep.json"
    case .aiTxt: "/ai.txt"
    }
  }

  /// How many bytes of it are read; what is behind them does not count.
  ///
  /// RFC 9309 §2.5 asks for at least 500 KiB of robots.txt; the others have no rule of their own.
  public var longest: Int { 512_000 }
}

/// What came of asking for an origin's file.
public enum OriginAnswer: Sendable {
  /// A 2xx answer's body, possibly cut at `OriginFile.longest`.
  case body([UInt8])
  /// 4xx, or more than five redirects: nothing is stated (RFC 9309 §2.3.1.3).
  case unavailable
  /// 5xx, or no answer: for robots.txt everything is disallowed (RFC 9309 §2.3.1.4); the other
  /// files' specifications draw no such conclusion, and nothing is.
  case unreachable
}
