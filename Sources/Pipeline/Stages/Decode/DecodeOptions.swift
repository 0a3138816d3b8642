public import ImageCodec

/// What pictures become, and which are refused.
///
/// Names and meanings are img2dataset's, where it has them.
public struct DecodeOptions: Sendable, Equatable, Codable {
  /// Whose habits the decoder has where there are several.
  public enum Compatibility: String, Sendable, Codable, CaseIterable {
    case none
    /// No orientation, no profiles, and OpenCV's ways with odd files.
    case img2dataset
  }

  /// The formats that pictures are encoded to, by their file extension.
  public enum Encoding: String, Sendable, Codable, CaseIterable { case jpg, png, webp }

  public var compatibility = Compatibility.none
  /// Pixels of the side that the mode goes by.
  public var imageSize = 256
  public var resizeMode = ResizeMode.centerCrop
  /// Leaves pictures alone that are smaller than `imageSize`.
  public var resizeOnlyIfBigger = false
  public var upscaleInterpolation = ResampleFilter.lanczos
  public var downscaleInterpolation = ResampleFilter.area
  /// Never decodes at a fraction of the size where the result would be nearly the same.
  public var exact = false
  public var orientation = true
  public var convertProfiles = true
  /// Takes what there is of a cut file.
  public var tolerateTruncated = false
  /// More are refused by their header, before anything is decoded; the default is Pillow's limit.
  public var maxPixels = 89_478_485
  /// The longest side that is decoded, pixels.
  public var maxSide = 65_535
  /// The most frames of an animation whose first is taken.
  public var maxFrames = 10_000
  /// The shortest original side that is kept, pixels; 0 keeps all.
  public var minImageSize = 0
  /// The largest original area that is kept, pixels; 0 keeps all.
  public var maxImageArea = 0
  /// The largest ratio of the original's longer to its shorter side; 0 keeps all.
  public var maxAspectRatio = 0.0
  public var encodeFormat = Encoding.jpg
  /// 1 to 100 for JPEG, 0 to 9 for PNG (its effort), 1 to 100 for WebP and above for its lossless kind.
  public var encodeQuality = 95
  public var encodeSubsampling = ChromaSubsampling.s420
  /// Huffman tables made for each JPEG: smaller, and slower to write.
  public var encodeOptimized = false
  /// Keeps the bytes of a picture of ``encodeFormat`` that decodes cleanly and needs no change.
  public var skipReencode = false
  /// Keeps the bytes of every picture that decodes cleanly.
  public var disableAllReencoding = false
  /// The list's column of boxes to blur.
  public var bboxColumn: String?
  public var extractEXIF = false
  /// Bytes that a decoder may take; 0 for what the largest picture allowed needs.
  public var memory = 0
  /// Seconds of processor time that one picture may take.
  public var cpuSeconds = 30
  /// Seconds that one picture may take, whatever the decoder waits for.
  public var wallSeconds = 120
  /// Whether a chunk most of whose pictures crash the decoder stops the run.
  public var stopsOnCrashes = true

  public init() {}

  /// Bytes that a decoder may take.
  ///
  /// By default the coefficients of a progressive JPEG of ``maxPixels`` in full colour (6 a pixel), the picture
  /// (3), what a decoder may hold beside it (WebP: 4; a PNG of 16 bits: 8), and room for a codec's tables.
  public var memoryInForce: Int { memory > 0 ? memory : 20 * maxPixels + 256 << 20 }
}
