/// Encodes RGB pictures; the same picture gives the same bytes, with the same libraries.
public enum ImageEncoder {
  /// A baseline JPEG with 4:2:0 chroma and the standard Huffman tables, as OpenCV and Pillow write.
  ///
  /// - Parameters:
  ///   - image: At most 65,500 pixels wide and high.
  ///   - quality: 1 … 100, in libjpeg's sense.
  /// - Returns: The whole file.
  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public static func jpeg(_ image: RGBImage, quality: Int) throws(ImageError) -> [UInt8] {
    precondition((1...100).contains(quality), "JPEG quality \(quality) is not in 1 ... 100")
    return try JPEGCodec.encode(image, quality: quality)
  }

  /// A PNG of 8-bit RGB with libpng's default filters and compression.
  ///
  /// - Throws: `cannotEncode`.
  public static func png(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    try PNGCodec.encode(image)
  }

  /// A lossy WebP.
  ///
  /// - Parameters:
  ///   - image: At most 16,383 pixels wide and high.
  ///   - quality: 0 … 100, in libwebp's sense.
  /// - Returns: The whole file.
  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public static func webp(_ image: RGBImage, quality: Int) throws(ImageError) -> [UInt8] {
    precondition((0...100).contains(quality), "WebP quality \(quality) is not in 0 ... 100")
    return try WebPCodec.encode(image, quality: quality)
  }

  /// A lossless WebP.
  ///
  /// - Throws: `cannotEncode`.
  public static func webpLossless(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    try WebPCodec.encode(image, quality: nil)
  }
}
