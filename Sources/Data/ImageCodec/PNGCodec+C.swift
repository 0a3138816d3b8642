import CImageShim

/// PNG (W3C Recommendation, second edition) through libpng.
enum PNGCodec {
  /// The size in IHDR, which §5.6 puts first, right after the signature.
  static func size(of bytes: [UInt8]) throws(ImageError) -> (width: Int, height: Int) {
    guard bytes.count >= 33 else { throw .truncated }
    guard bytes[8..<16].elementsEqual([0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]) else {
      throw .corrupt("the first chunk is not IHDR")
    }
    func number(at offset: Int) -> Int {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    let (width, height) = (number(at: 16), number(at: 20))
    guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height) else {
      throw .corrupt("a size of \(width)x\(height)")
    }
    return (width, height)
  }

  /// RGB, alpha on white.
  static func decode(
    _ bytes: [UInt8], width: Int, height: Int, settings: DecodeSettings
  ) throws(ImageError) -> RGBImage {
    let pixels = try pixels(bytes, width: width, height: height, channels: 3, settings)
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// The picture in its own colours, for a profile; palettes are RGB.
  static func stored(
    _ bytes: [UInt8], width: Int, height: Int, model: StoredPicture.Model, hasAlpha: Bool,
    settings: DecodeSettings
  ) throws(ImageError) -> StoredPicture {
    let channels = StoredPicture.channels(of: model, hasAlpha: hasAlpha)
    var settings = settings
    // Saturation is img2dataset's, which knows no profiles.
    if settings.deepChannels == .saturated { settings.deepChannels = .rounded }
    let pixels = try pixels(bytes, width: width, height: height, channels: -channels, settings)
    return StoredPicture(
      width: width, height: height, model: model, hasAlpha: hasAlpha, pixels: pixels)
  }

  /// Grey of 16 bits, without its transparent level.
  static func deepGrey(_ bytes: [UInt8], width: Int, height: Int) throws(ImageError)
    -> DeepGreyImage
  {
    var request = cimage_png_request()
    (request.width, request.height) = (UInt32(width), UInt32(height))
    request.channels = -1
    request.depth = Int32(CIMAGE_DEPTH_KEPT)
    let pixels = try unsafe CodecBuffers.fill(bytes, count: width * height * 2) { source, target in
      var report = cimage_report()
      let code = unsafe cimage_png_decode(
        source.baseAddress, source.count, &request, target, &report)
      return CodecBuffers.failure(code, report)
    }
    return DeepGreyImage(
      width: width, height: height,
      levels: (0..<width * height).map { UInt16(pixels[2 * $0]) << 8 | UInt16(pixels[2 * $0 + 1]) })
  }

  /// The iCCP chunk's profile, where libpng takes it.
  static func profile(of bytes: [UInt8]) -> [UInt8]? {
    var report = cimage_report()
    var made: UnsafeMutablePointer<UInt8>?
    var count = 0
    let code = unsafe bytes.withUnsafeBufferPointer {
      unsafe cimage_png_profile($0.baseAddress, $0.count, &made, &count, &report)
    }
    guard Int(code) == CIMAGE_OK else { return nil }
    defer { unsafe cimage_free(made) }
    return unsafe [UInt8](UnsafeBufferPointer(start: made, count: count))
  }

  private static func pixels(
    _ bytes: [UInt8], width: Int, height: Int, channels: Int, _ settings: DecodeSettings
  ) throws(ImageError) -> [UInt8] {
    var request = cimage_png_request()
    request.width = UInt32(width)
    request.height = UInt32(height)
    request.channels = Int32(channels)
    request.depth =
      switch settings.deepChannels {
      case .rounded: Int32(CIMAGE_DEPTH_ROUNDED)
      case .highByte: Int32(CIMAGE_DEPTH_HIGH_BYTE)
      case .saturated: Int32(CIMAGE_DEPTH_SATURATED)
      }
    request.tolerates_truncation = settings.toleratesTruncation ? 1 : 0
    return try unsafe CodecBuffers.fill(bytes, count: width * height * abs(channels)) {
      source, target in
      var report = cimage_report()
      let code = unsafe cimage_png_decode(
        source.baseAddress, source.count, &request, target, &report)
      return CodecBuffers.failure(code, report)
    }
  }
}
