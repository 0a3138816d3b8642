/// Encodes RGB pictures; the same picture gives the same bytes, with the same libraries.
public enum ImageEncoder {
  /// A JPEG, by default baseline with 4:2:0 chroma and the standard Huffman tables, as OpenCV and
  /// Pillow write.
  ///
  /// - Parameters:
  ///   - image: At most 65,500 pixels wide and high.
  ///   - quality: 1 … 100, in libjpeg's sense.
  ///   - subsampling: Of the chroma.
  ///   - optimised: Whether the Huffman tables are made for this picture: a few per cent smaller,
  ///     about half as much time again.
  ///   - progressive: Whether the picture comes in scans from coarse to fine; its tables are made
  ///     for it in any case.
  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public static func jpeg(
    _ image: RGBImage, quality: Int, subsampling: ChromaSubsampling = .s420,
    optimised: Bool = false, progressive: Bool = false
  ) throws(ImageError) -> [UInt8] {
    precondition((1...100).contains(quality), "JPEG quality \(quality) is not in 1 ... 100")
    return try JPEGWriter.encode(
      image, quality: quality, subsampling: subsampling, optimised: optimised,
      progressive: progressive)
  }

  /// A PNG of 8-bit RGB with libpng's choice of filters.
  ///
  /// - Parameters:
  ///   - image: Any.
  ///   - level: zlib's level of compression, 0 (none) … 9 (most); 6 is zlib's default.
  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public static func png(_ image: RGBImage, level: Int = 6) throws(ImageError) -> [UInt8] {
    precondition((0...9).contains(level), "PNG level \(level) is not in 0 ... 9")
    return try PNGWriter.encode(image, level: level)
  }

  /// A lossy WebP.
  ///
  /// - Parameters:
  ///   - image: At most 16,383 pixels wide and high.
  ///   - quality: 0 … 100, in libwebp's sense.
  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public static func webp(_ image: RGBImage, quality: Int) throws(ImageError) -> [UInt8] {
    precondition((0...100).contains(quality), "WebP quality \(quality) is not in 0 ... 100")
    return try WebPWriter.encode(image, quality: quality)
  }

  /// A lossless WebP.
  ///
  /// - Throws: `cannotEncode`.
  public static func webpLossless(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    try WebPWriter.encode(image, quality: nil)
  }
}
