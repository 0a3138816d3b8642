/// Why a pair was dropped.
///
/// A closed list: every fate has one word, the same in tables, the ledger and `status`. The words of
/// download are those of `FetchFailure`, the words of decoding stand for the cases of `ImageError`.
public enum DropReason: String, Codable, CaseIterable, Sendable {
  // Ingest
  case badURL = "bad_url"
  case duplicateURL = "duplicate_url"
  // Download
  case addressRefused = "address_refused"
  case dns
  case noSuchHost = "no_such_host"
  case connect, tls, timeout
  case tooLarge = "too_large"
  case redirect
  case protocolError = "protocol"
  case incomplete
  case httpStatus = "http_status"
  case robots
  case robotsTxt = "robots_txt"
  case tdmReserved = "tdm_reserved"
  case contentUsage = "content_usage"
  case hostDenied = "host_denied"
  case hashMismatch = "hash_mismatch"
  case hashBlocked = "hash_blocked"
  // Decode, and the start of a body that download looks at
  case empty
  case notAnImage = "not_an_image"
  case unsupportedFormat = "unsupported_format"
  case tooManyPixels = "too_many_pixels"
  case sideTooLong = "side_too_long"
  case tooManyFrames = "too_many_frames"
  case truncated, corrupt
  case cannotEncode = "cannot_encode"
  case imageTooSmall = "image_too_small"
  case imageAreaTooLarge = "image_area_too_large"
  case aspectRatioTooLarge = "aspect_ratio_too_large"
  case badBoxes = "bad_boxes"
  case decoderCrashed = "decoder_crashed"
  // Deduplicate
  /// The downloaded bytes are those of a pair that is kept, here or in another run's index.
  case duplicateBytes = "duplicate_bytes"
  /// The picture looks like one that is kept, here or in another run's index.
  case duplicatePicture = "duplicate_picture"
  /// The caption is nearly that of a pair that is kept.
  case duplicateCaption = "duplicate_caption"
  /// As many pairs with the same caption are kept as may be.
  case captionLimit = "caption_limit"
  /// The picture stands under many captions, URLs or hosts, as "image not found" does; none is kept.
  case placeholder
  /// The picture is, or looks like, one of a set that models are measured with.
  case evaluationSet = "evaluation_set"
  // `pairloom forget`
  case forgotten
  // Filter
  case lowScore = "low_score"
  /// A rule of the filter's plan does not hold; the detail is its name.
  case filterRule = "filter_rule"

  /// Whether trying again later may bring the pair.
  public enum Class: String, Codable, Sendable { case transient, permanent }

  /// The class of the reason; an HTTP status decides for ``httpStatus``.
  ///
  /// - Parameter status: The HTTP status where there was one. 408, 425, 429 and some 5xx pass by
  ///   themselves (RFC 9110 §15, RFC 6585 §4, RFC 8470 §5.2).
  /// - Returns: ``Class/transient`` where a later run may succeed.
  public func failureClass(status: Int?) -> Class {
    switch self {
    case .dns, .connect, .timeout, .incomplete: .transient
    case .httpStatus:
      switch status ?? 0 {
      case 408, 425, 429, 500, 502...504, 507, 520...524: .transient
      default: .permanent
      }
    default: .permanent
    }
  }

  /// The stage of the pipeline that drops for this reason.
  public var stage: StageName {
    switch self {
    case .badURL, .duplicateURL: .ingest
    case .addressRefused, .dns, .noSuchHost, .connect, .tls, .timeout, .tooLarge, .redirect,
      .protocolError, .incomplete, .httpStatus, .robots, .robotsTxt, .tdmReserved, .contentUsage,
      .hostDenied, .hashMismatch, .hashBlocked:
      .download
    case .empty, .notAnImage, .unsupportedFormat, .tooManyPixels, .truncated, .corrupt,
      .cannotEncode, .imageTooSmall, .imageAreaTooLarge, .aspectRatioTooLarge, .badBoxes,
      .decoderCrashed, .sideTooLong, .tooManyFrames:
      .decode
    // What was kept until it was asked back; when it is fetched anew, download drops it.
    case .duplicateBytes, .duplicatePicture, .duplicateCaption, .captionLimit, .placeholder,
      .evaluationSet, .forgotten:
      .deduplicate
    case .lowScore, .filterRule: .filter
    }
  }
}
