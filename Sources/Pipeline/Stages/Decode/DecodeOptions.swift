public import ImageCodec
public import PipelineCore

/// What pictures become, and which are refused.
///
/// Names and meanings are img2dataset's.
public struct DecodeOptions: Sendable, Equatable {
  /// Pixels of the side that the mode goes by.
  public var imageSize = 256
  public var resizeMode = ResizeMode.centerCrop
  /// Leaves pictures alone that are smaller than `imageSize`.
  public var resizeOnlyIfBigger = false
  /// JPEG quality, 1 to 100.
  public var encodeQuality = 95
  /// More are refused by their header, before anything is decoded; the default is Pillow's limit.
  public var maxPixels = 89_478_485
  /// The shortest original side that is kept, pixels; 0 keeps all.
  public var minImageSize = 0
  /// The largest original area that is kept, pixels; 0 keeps all.
  public var maxImageArea = 0
  /// The largest ratio of the original's longer to its shorter side; 0 keeps all.
  public var maxAspectRatio = 0.0

  public init() {}

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    imageSize = try reader.int("image_size", default: imageSize, in: 1...16_384)
    resizeMode = try reader.choice(
      "resize_mode", among: [.no, .border, .keepRatio, .keepRatioLargest, .centerCrop],
      default: resizeMode)
    resizeOnlyIfBigger = try reader.bool("resize_only_if_bigger", default: resizeOnlyIfBigger)
    encodeQuality = try reader.int("encode_quality", default: encodeQuality, in: 1...100)
    maxPixels = try reader.int("max_pixels", default: maxPixels, in: 1...(1 << 30))
    minImageSize = try reader.int("min_image_size", default: minImageSize, in: 0...(1 << 20))
    maxImageArea = try reader.int("max_image_area", default: maxImageArea, in: 0...(1 << 40))
    maxAspectRatio = try reader.double("max_aspect_ratio", default: maxAspectRatio, in: 0...1e6)
  }
}
