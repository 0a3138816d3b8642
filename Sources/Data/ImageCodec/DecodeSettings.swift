/// What of a file is heeded, and how much of it is allowed.
///
/// The limits are checked on the header, before memory is taken for pixels.
public struct DecodeSettings: Sendable, Equatable {
  /// The most pixels decoded, width times height by the header; the default is Pillow's limit.
  public var maxPixels = 89_478_485
  /// The longest side, in pixels by the header.
  public var maxSide = 65_535
  /// The most bytes of a file.
  public var maxBytes = 256 << 20
  /// The most frames of an animation; a picture of more is refused, of fewer the first is taken.
  public var maxFrames = 10_000
  /// Whether the EXIF orientation 1 … 8 is applied, so that the picture stands upright.
  public var appliesOrientation = true
  /// Whether embedded ICC profiles are converted to sRGB.
  ///
  /// By lcms2 with the perceptual intent, which is what Pillow's ImageCms does by default; matrix
  /// profiles have only the colorimetric one. Grey, RGB and CMYK profiles are converted where they
  /// fit the picture; a broken or misplaced one is ignored, and sRGB itself costs nothing. PNG's
  /// gAMA and cHRM chunks are not applied, as Pillow does not.
  public var convertsProfiles = true
  /// Whether a JPEG or PNG that ends early is taken as far as it goes.
  ///
  /// What is missing is grey in a JPEG, and black or transparent in a PNG, as with Pillow's
  /// `LOAD_TRUNCATED_IMAGES`. The header must be whole.
  public var toleratesTruncation = false
  /// Whether damage in a JPEG's entropy-coded data, which libjpeg mends with a warning, passes.
  ///
  /// Pillow and OpenCV let it pass, and show smears.
  public var toleratesDamage = false
  /// Whether a JPEG is always decoded at its full size.
  ///
  /// Otherwise one that will be resized is decoded by a scaled DCT of 1/8, 1/4 or 1/2, where that
  /// leaves each side at least ``scaledDecodingGap`` times the target. libjpeg-turbo has vector
  /// code for these three alone: 3/8 to 7/8 take 0.9 to 2.6 times as long as the full size.
  public var exact = false
  /// How many times the target a side decoded at a smaller scale must at least be; 1 or more.
  ///
  /// PSNR against the exact path after resizing the short side to 256 by `bicubic`, mean (5th
  /// percentile): a gap of 1.25 to 1.5 gives 45.6 dB (40.6), 1.5 to 2 gives 50.5 (44.8), above 2
  /// gives 54.6 (48.8), on 355 photographs with short sides of 512 and more. Photographs of
  /// 4000 × 3000 come out at 1/8, a gap of 1.46, with 46.8 dB (42.7), at 1/4 with 53.6 (51.2). By
  /// `area`, the default filter, they have 41.8 (35.7) and 50.5 (46.2), by `box` 37.3 (31.7) and
  /// 40.7 (34.9): those two see where pixels begin. Yet no other filter on the smaller picture comes
  /// clearly nearer to what exact `area` gives: of 13 photographs of 8 to 18 megapixels at 1/8, `area`
  /// has 45.0 dB (36.8) against it, `hamming` 45.9 (37.1), `bicubic` 46.2 (36.9), `lanczos` 45.6
  /// (36.4), `bilinear` 43.6 (35.4). So `area` stays; ``exact`` is for who wants it to the level.
  ///
  /// Time: those photographs take 27 ms to decode instead of 57, and next to nothing to resize; the
  /// rest is entropy decoding, which no scale saves but at 1/8 of a progressive file
  /// (``ProgressiveScans``). Against img2dataset's resizer (decode, resize
  /// to 256, encode) that is 4.0 times as many a CPU second, and 2.3 times the exact path.
  public var scaledDecodingGap = 1.4
  /// What becomes of a PNG's 16 bits a channel.
  public var deepChannels = DeepChannels.rounded
  /// Whose arithmetic turns inks into RGB where no profile does.
  public var inks = InkArithmetic.pillow

  /// 16 bits a channel to 8.
  public enum DeepChannels: String, Sendable {
    /// The nearest 8-bit value, `round(v / 257)`.
    case rounded
    /// The high byte, as Pillow reads 16-bit RGB.
    case highByte
    /// Values above 255 become 255, as OpenCV's JPEG encoder cuts what `IMREAD_UNCHANGED` kept.
    case saturated
  }

  /// CMYK without a profile to RGB.
  public enum InkArithmetic: String, Sendable {
    /// Pillow's, products rounded; but inverted only where an Adobe marker stands, which Pillow
    /// takes for granted.
    case pillow
    /// OpenCV's: always taken as inverted, products rounded down.
    case openCV
  }

  public init() {}

  /// What img2dataset's `cv2.imdecode(…, IMREAD_UNCHANGED)` shows, with the limits of the default.
  ///
  /// - No orientation, no profile, always the full size.
  /// - Grey stays grey there; here it becomes RGB of equal channels, and the kept JPEG shows the same.
  /// - 16 bits a channel saturate: nearly all of such a picture is white.
  /// - Alpha is composited on white.
  /// - Inks become RGB by OpenCV's arithmetic.
  /// - A file that ends early is refused, damage inside passes.
  public static let img2dataset: DecodeSettings = {
    var settings = DecodeSettings()
    settings.appliesOrientation = false
    settings.convertsProfiles = false
    settings.toleratesDamage = true
    settings.exact = true
    settings.deepChannels = .saturated
    settings.inks = .openCV
    return settings
  }()

  /// What Pillow shows by default, as the trainer's peers read pictures: no orientation, no profile.
  public static let pillow: DecodeSettings = {
    var settings = DecodeSettings()
    settings.appliesOrientation = false
    settings.convertsProfiles = false
    settings.exact = true
    settings.deepChannels = .highByte
    return settings
  }()
}
