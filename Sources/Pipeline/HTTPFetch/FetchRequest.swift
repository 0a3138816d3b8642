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

/// How a request ended, after all its attempts.
public struct FetchResult: Sendable {
  public var id: Int
  /// The body after content decoding, possibly empty; nil when `failure` is not.
  public var body: [UInt8]?
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
  /// 0 for a bad URL.
  public var attempts: Int
  /// The final response's Content-Type, as sent.
  public var contentType: String?
  /// From the first attempt's start to the end, pauses between attempts included.
  public var seconds: Double
  /// When the first attempt started, in milliseconds since 1970.
  public var startedAt: Int

  /// Whether fetching this URL again later might end otherwise.
  public var isTransient: Bool {
    guard let failure else { return false }
    return RetryPolicy.isTransient(failure, status: status)
  }
}
