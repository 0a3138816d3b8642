/// Why bytes are no picture, or a picture could not be written.
///
/// A pair dropped for one of these is a value, not a failure of the run; where the bytes came from
/// is the caller's to say.
public enum ImageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There are no bytes.
  case empty
  /// The bytes begin like no format known here.
  case notAnImage
  /// The content, whatever its name says, is of a format that is not decoded.
  case unsupportedFormat(ImageFormat)
  /// The header declares more pixels than allowed; nothing was allocated for them.
  case tooManyPixels(width: Int, height: Int, limit: Int)
  /// The header declares a side longer than allowed; nothing was allocated for it.
  case sideTooLong(width: Int, height: Int, limit: Int)
  /// The file has more bytes than allowed.
  case fileTooLarge(bytes: Int, limit: Int)
  /// The animation has more frames than allowed.
  case tooManyFrames(Int, limit: Int)
  /// The bytes end before the picture does.
  case truncated
  /// The decoder's words for what is wrong with the bytes.
  case corrupt(String)
  /// The encoder's words for what it cannot write.
  case cannotEncode(String)

  public var description: String {
    switch self {
    case .empty: "no bytes: the answer was empty"
    case .notAnImage: "not an image: the bytes begin like no known format"
    case .unsupportedFormat(let format):
      "the content is \(format.rawValue), which is not decoded; use JPEG, PNG, WebP or GIF"
    case .tooManyPixels(let width, let height, let limit):
      "the header declares \(width)x\(height) pixels, more than the limit of \(limit); "
        + "raise the limit to decode it"
    case .sideTooLong(let width, let height, let limit):
      "the header declares \(width)x\(height) pixels, a side above the limit of \(limit); "
        + "raise the limit to decode it"
    case .fileTooLarge(let bytes, let limit):
      "the file has \(bytes) bytes, more than the limit of \(limit); raise the limit to decode it"
    case .tooManyFrames(let frames, let limit):
      "the animation has \(frames) frames, more than the limit of \(limit); "
        + "raise the limit to take its first frame"
    case .truncated: "truncated: the bytes end before the picture does; fetch it again"
    case .corrupt(let detail): "corrupt: \(detail)"
    case .cannotEncode(let detail): "cannot encode: \(detail)"
    }
  }
}
