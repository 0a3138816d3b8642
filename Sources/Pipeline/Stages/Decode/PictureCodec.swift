import ImageCodec

/// The calls into ImageCodec, with a recipe's options for its own.
struct PictureCodec: Sendable {
  var options: DecodeOptions

  /// OpenCV's INTER_AREA.
  static let areaFilter = ResampleFilter.box

  struct Decoded {
    var image: RGBImage
    /// The upright picture's full size.
    var width: Int
    var height: Int
    var format: ImageFormat
    /// Whether the pixels are those that the file holds, so that its bytes may stand for them.
    var isUnchanged: Bool
  }

  func header(of body: [UInt8]) throws(ImageError) -> ImageHeader {
    try ImageDecoder.header(of: body)
  }

  /// Decodes a file; `target` is the size that the picture will be resized to, nil for none.
  func decode(
    _ body: [UInt8], atLeast target: (width: Int, height: Int)?
  ) throws(ImageError) -> Decoded {
    let header = try ImageDecoder.header(of: body)
    let image = try ImageDecoder.decode(body, maxPixels: options.maxPixels)
    return Decoded(
      image: image, width: image.width, height: image.height, format: header.format,
      isUnchanged: true)
  }

  func resized(_ decoded: Decoded) -> RGBImage {
    decoded.image.resized(
      mode: options.resizeMode, size: options.imageSize, onlyIfBigger: options.resizeOnlyIfBigger)
  }

  func encode(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    switch options.encodeFormat {
    case .jpg: try ImageEncoder.jpeg(image, quality: options.encodeQuality)
    case .png: try ImageEncoder.png(image)
    case .webp:
      options.encodeQuality > 100
        ? try ImageEncoder.webpLossless(image)
        : try ImageEncoder.webp(image, quality: options.encodeQuality)
    }
  }

  func perceptualHash(of image: RGBImage) -> String? { nil }

  func exif(of body: [UInt8]) -> String? { nil }
}
