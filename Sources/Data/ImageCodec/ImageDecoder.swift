/// Decodes untrusted bytes to RGB.
///
/// - JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK (inverted where the Adobe
///   marker says so). Decoded as Pillow and OpenCV do by default: slow integer DCT, smooth chroma.
/// - PNG: every colour type and depth, interlaced or not; of 16 bits the high byte.
/// - WebP: lossy, lossless, alpha; of an animation the first frame.
/// - GIF: the first frame.
///
/// Alpha is composited on white with correct rounding. Colour profiles and EXIF orientation are not
/// applied, as the field's tools do not. The decoders are strict: where data is missing, nothing is
/// made up.
public enum ImageDecoder {
  /// Format and size, without touching a pixel.
  ///
  /// - Throws: `empty`, `notAnImage`, `unsupportedFormat`, `truncated` or `corrupt`.
  public static func header(of bytes: [UInt8]) throws(ImageError) -> ImageHeader {
    if bytes.isEmpty { throw .empty }
    guard let format = ImageFormat.recognise(bytes) else { throw .notAnImage }
    let (width, height) =
      switch format {
      case .jpeg: try JPEGCodec.size(of: bytes)
      case .png: try PNGCodec.size(of: bytes)
      case .webp: try WebPCodec.size(of: bytes)
      case .gif: try GIFCodec.size(of: bytes)
      default: throw ImageError.unsupportedFormat(format)
      }
    guard width > 0, height > 0 else { throw .corrupt("a size of \(width)x\(height)") }
    return ImageHeader(format: format, width: width, height: height)
  }

  /// The picture in `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - maxPixels: The most pixels decoded, width times height. The default is Pillow's limit.
  /// - Returns: RGB of the size that the header declares.
  /// - Returns: RGB of the size that the header declares.
  /// - Throws: What ``header(of:)`` throws, and `tooManyPixels` before memory for pixels is asked
  ///   for.
  public static func decode(_ bytes: [UInt8], maxPixels: Int = 89_478_485) throws(ImageError)
    -> RGBImage
  {
    let header = try header(of: bytes)
    let (pixels, overflow) = header.width.multipliedReportingOverflow(by: header.height)
    guard !overflow, pixels <= maxPixels else {
      throw .tooManyPixels(width: header.width, height: header.height, limit: maxPixels)
    }
    switch header.format {
    case .jpeg: return try JPEGCodec.decode(bytes, width: header.width, height: header.height)
    case .png: return try PNGCodec.decode(bytes, width: header.width, height: header.height)
    case .webp: return try WebPCodec.decode(bytes, width: header.width, height: header.height)
    case .gif: return try GIFCodec.decode(bytes, width: header.width, height: header.height)
    default: throw .unsupportedFormat(header.format)
    }
  }
}
