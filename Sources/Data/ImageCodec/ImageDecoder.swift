/// Decodes untrusted bytes to RGB.
///
/// - JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK (inverted where the Adobe
///   marker says so). Decoded as Pillow and OpenCV do by default: slow integer DCT, smooth chroma.
/// - PNG: every colour type and depth, interlaced or not; of an animation the default image.
/// - WebP: lossy, lossless, alpha; of an animation the first frame.
/// - GIF: the first frame.
///
/// Alpha is composited on white with correct rounding. Orientation, profiles, limits and tolerance
/// go by ``DecodeSettings``. Where data is missing nothing is made up unless the settings allow it.
public enum ImageDecoder {
  /// Format, size, frames and alpha, without touching a pixel.
  ///
  /// - Returns: The upright size where the settings apply orientation.
  /// - Throws: `empty`, `notAnImage`, `unsupportedFormat`, `truncated` or `corrupt`, and the limits'
  ///   errors.
  public static func header(
    of bytes: [UInt8], settings: DecodeSettings = .init()
  ) throws(ImageError) -> ImageHeader {
    let parsed = try ParsedFile(bytes)
    try parsed.check(settings)
    return parsed.header(parsed.orientation(in: bytes, settings))
  }

  /// The picture in `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - settings: What is heeded and allowed.
  ///   - target: The upright size that the picture will be resized to. A JPEG much larger is then
  ///     decoded at 1/8, 1/4 or 1/2, unless the settings are exact; nil is the full size.
  /// - Returns: The picture, with the full size that its header declares.
  /// - Throws: What ``header(of:settings:)`` throws, before memory for pixels is asked for.
  public static func decode(
    _ bytes: [UInt8], settings: DecodeSettings,
    atLeast target: (width: Int, height: Int)? = nil
  ) throws(ImageError) -> DecodedPicture {
    let parsed = try ParsedFile(bytes)
    try parsed.check(settings)
    let orientation = parsed.orientation(in: bytes, settings)
    let profile = settings.convertsProfiles ? parsed.profile(in: bytes) : nil
    let image: RGBImage =
      if let profile {
        try converted(
          bytes, parsed, profile, settings, parsed.eighths(target, orientation, settings))
      } else {
        try plain(bytes, parsed, settings, parsed.eighths(target, orientation, settings))
      }
    let header = parsed.header(orientation)
    return DecodedPicture(
      image: image.upright(orientation), width: header.width, height: header.height,
      format: header.format)
  }

  /// The picture in `bytes` as Pillow shows it: neither orientation nor profile is applied.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - maxPixels: The most pixels decoded, width times height. The default is Pillow's limit.
  /// - Returns: RGB of the size that the header declares.
  /// - Throws: As ``decode(_:settings:atLeast:)`` with ``DecodeSettings/pillow``, without its limits
  ///   on sides, bytes and frames.
  public static func decode(
    _ bytes: [UInt8], maxPixels: Int = 89_478_485
  ) throws(ImageError) -> RGBImage {
    var settings = DecodeSettings.pillow
    settings.maxPixels = maxPixels
    settings.maxSide = .max
    settings.maxBytes = .max
    settings.maxFrames = .max
    return try decode(bytes, settings: settings).image
  }

  private static func plain(
    _ bytes: [UInt8], _ parsed: ParsedFile, _ settings: DecodeSettings, _ eighths: Int
  ) throws(ImageError) -> RGBImage {
    let (width, height) = (parsed.width, parsed.height)
    switch parsed.format {
    case .jpeg:
      return try JPEGCodec.decode(
        bytes, width: width, height: height, eighths: eighths, settings: settings)
    case .png: return try PNGCodec.decode(bytes, width: width, height: height, settings: settings)
    case .webp: return try WebPCodec.decode(bytes, width: width, height: height)
    case .gif: return try GIFCodec.decode(bytes, width: width, height: height)
    default: throw .unsupportedFormat(parsed.format)
    }
  }

  /// The profile is applied before alpha is composited: white is white in either.
  private static func converted(
    _ bytes: [UInt8], _ parsed: ParsedFile, _ profile: ColourProfile, _ settings: DecodeSettings,
    _ eighths: Int
  ) throws(ImageError) -> RGBImage {
    guard let model = profile.model, model == parsed.model else {
      return try plain(bytes, parsed, settings, eighths)
    }
    if model == .rgb, profile.isSRGB { return try plain(bytes, parsed, settings, eighths) }
    let stored: StoredPicture
    switch parsed.format {
    case .jpeg:
      stored = try JPEGCodec.stored(
        bytes, width: parsed.width, height: parsed.height, eighths: eighths, model: model,
        settings: settings)
    case .png:
      stored = try PNGCodec.stored(
        bytes, width: parsed.width, height: parsed.height, model: model,
        hasAlpha: parsed.hasAlpha, settings: settings)
    case .webp:
      return try WebPCodec.decode(bytes, width: parsed.width, height: parsed.height) {
        profile.toSRGB($0) ?? $0
      }
    default: return try plain(bytes, parsed, settings, eighths)
    }
    return (profile.toSRGB(stored) ?? stored).image
  }
}
