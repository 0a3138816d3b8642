/// What the demo's origin does wrong about a row.
public enum DemoFault: String, Codable, CaseIterable, Sendable {
  /// The picture comes at once.
  case none
  /// 404, always.
  case missing
  /// 500 once or twice, then the picture.
  case heals500 = "heals_500"
  /// 503 once or twice, then the picture.
  case heals503 = "heals_503"
  /// 429 with `Retry-After: 0`, now and then 1, then the picture.
  case heals429 = "heals_429"
  /// The connection closes after half of the bytes that Content-Length promised.
  case truncated
  /// A complete answer whose bytes are no whole picture.
  case corrupt
  /// A web page where a picture should be.
  case wrongType = "wrong_type"
  /// The bytes of an earlier row's picture under a URL of its own.
  case duplicateBytes = "duplicate_bytes"
  /// An earlier row's URL once more.
  case duplicateURL = "duplicate_url"

  /// What a faultless pipeline does with the row.
  public var expected: DemoFate {
    switch self {
    case .none: .pair
    case .heals500, .heals503, .heals429: .pairAfterRetry
    case .missing: .httpStatus
    case .truncated: .incomplete
    case .corrupt, .wrongType: .undecodable
    case .duplicateBytes: .duplicateBytes
    case .duplicateURL: .duplicateURL
    }
  }
}

/// How a row should end.
public enum DemoFate: String, Codable, CaseIterable, Sendable {
  /// As a pair that is scored.
  case pair
  /// The same, after more than one request.
  case pairAfterRetry = "pair_after_retry"
  /// Dropped: the server answered 404.
  case httpStatus = "http_status"
  /// Dropped: the body never came whole.
  case incomplete
  /// Dropped: truncated, corrupt or not a picture.
  case undecodable
  /// Dropped in favour of an earlier row with the same bytes.
  case duplicateBytes = "duplicate_bytes"
  /// Dropped in favour of an earlier row with the same URL.
  case duplicateURL = "duplicate_url"

  public var isPair: Bool { self == .pair || self == .pairAfterRetry }
}

/// The encoding in which a picture is served.
public enum DemoFormat: String, Codable, CaseIterable, Sendable {
  case jpeg, png, webp

  public var fileExtension: String { self == .jpeg ? "jpg" : rawValue }
  public var mediaType: String { "image/\(rawValue)" }
}
