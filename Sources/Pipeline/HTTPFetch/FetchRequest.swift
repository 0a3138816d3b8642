public import CrawlPolicy

/// One URL to fetch.
public struct FetchRequest: Sendable, Hashable {
  /// Chosen by the caller and given back in the result.
  public var id: Int
  public var url: String

  public init(id: Int, url: String) {
    self.id = id
    self.url = url
  }
}

/// One exchange on the way to a result.
public struct FetchHop: Sendable, Codable, Equatable {
  public var url: String
  /// nil when no answer came.
  public var status: Int?

  public init(url: String, status: Int?) {
    self.url = url
    self.status = status
  }
}

/// When the steps of an exchange were done: seconds from its start, as libcurl counts.
public struct FetchTimes: Sendable, Codable, Equatable {
  public var lookup: Double
  public var connect: Double
  public var tls: Double
  public var firstByte: Double

  public init(lookup: Double, connect: Double, tls: Double, firstByte: Double) {
    self.lookup = lookup
    self.connect = connect
    self.tls = tls
    self.firstByte = firstByte
  }
}

extension FetchTimes {
  /// Counts from `seconds` earlier; steps that were not taken stay 0.
  mutating func shift(by seconds: Double) {
    lookup += seconds
    if connect > 0 { connect += seconds }
    if tls > 0 { tls += seconds }
    if firstByte > 0 { firstByte += seconds }
  }
}

/// How a request ended, after all its attempts.
public struct FetchResult: Sendable {
  public var id: Int
  /// Holds the body's place in memory, or on disk, until the last copy of this result is gone.
  let stored: FetchedBody?
  public var failure: FetchFailure?
  /// The status ("404"), libcurl's words, or the directive that refused ("noai"); empty on success.
  public var detail: String
  /// The last HTTP status that was received, in any attempt.
  public var status: Int?
  /// The URL that gave the answer: percent-encoded, without fragment.
  ///
  /// The given URL when that is bad.
  public var finalURL: String
  /// Redirects followed in the last attempt.
  public var redirects: Int
  /// 0 for what was refused before anything was asked: a bad URL, a denied host, a dead one.
  public var attempts: Int
  /// The final response's Content-Type, as sent.
  public var contentType: String?
  /// From the first attempt's start to the end, pauses between attempts included.
  public var seconds: Double
  /// When the first attempt started, in milliseconds since 1970.
  public var startedAt: Int
  /// The last attempt's exchanges in order: each URL that was asked and the status that it gave.
  public var hops: [FetchHop] = []
  /// The address that the last exchange was connected to, as text.
  public var address: String?
  /// The protocol of the last answer: "http/1.0", "http/1.1" or "h2".
  public var httpVersion: String?
  /// Bytes of bodies on the wire over all attempts, before content decoding.
  public var receivedBytes = 0
  /// The final response's validators, as sent, for asking again later.
  public var etag: String?
  public var lastModified: String?
  /// Seconds of the last exchange: name lookup, connection, TLS, first byte; nil where none was.
  ///
  /// A step that was not taken, or not ended, has 0.
  public var times: FetchTimes?
  /// What a refusal by policy rests on; nil for other results.
  public var evidence: PolicyEvidence?
  /// Whether a refusal is assumed for want of an answer (RFC 9309 §2.3.1.4), so that it may heal.
  public var isAssumed = false

  /// The body after content decoding, possibly empty; nil when `failure` is not.
  ///
  /// Where more bodies were held than `FetchOptions.bodyBudget` allows, this reads it from disk, at
  /// each call; keep the array rather than the result. Traps where that read fails; `readBody`
  /// throws.
  public var body: [UInt8]? {
    do {
      return try readBody()
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// The body's length; nil when `failure` is not.
  public var bodyCount: Int? { stored?.count }

  /// `body`, for callers that can do something about a failing disk.
  public func readBody() throws(FetcherError) -> [UInt8]? { try stored?.bytes() }

  /// Whether fetching this URL again later might end otherwise.
  public var isTransient: Bool {
    guard let failure else { return false }
    if isAssumed { return true }
    return RetryPolicy.isTransient(failure, status: status)
  }
}
