import CWebP

/// WebP (RFC 9649) through libwebp.
enum WebPCodec {
  /// A picture inside the file: its bitstream, and where it lies on the canvas.
  private struct Frame {
    var bytes: Range<Int>
    var left = 0
    var top = 0
  }

  static func features(
    of bytes: [UInt8]
  ) throws(ImageError) -> (width: Int, height: Int, hasAlpha: Bool) {
    guard bytes.count >= 12 else { throw .truncated }
    // RFC 9649 §2.4: the size counts what follows it.
    guard little(bytes, 4, 4) + 8 <= bytes.count else { throw .truncated }
    let features = try features(of: bytes, in: 0..<bytes.count)
    return (Int(features.width), Int(features.height), features.has_alpha != 0)
  }

  /// RGB on the whole canvas, alpha on white; `convert` sees the colours before that.
  static func decode(
    _ bytes: [UInt8], width: Int, height: Int,
    _ convert: (StoredPicture) -> StoredPicture = { $0 }
  ) throws(ImageError) -> RGBImage {
    let (stored, frame) = try stored(bytes, width: width, height: height)
    let picture = convert(stored).image
    if stored.width == width && stored.height == height { return picture }
    return picture.padded(left: frame.left, top: frame.top, width: width, height: height)
  }

  /// The whole canvas as Pillow gives it: black and transparent where the first frame is not.
  static func whole(_ bytes: [UInt8], width: Int, height: Int) throws(ImageError) -> StoredPicture {
    let (stored, frame) = try stored(bytes, width: width, height: height)
    if stored.width == width && stored.height == height { return stored }
    let hasAlpha = try features(of: bytes, in: 0..<bytes.count).has_alpha != 0
    let channels = StoredPicture.channels(of: .rgb, hasAlpha: hasAlpha)
    let storedChannels = StoredPicture.channels(of: .rgb, hasAlpha: stored.hasAlpha)
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    for y in 0..<stored.height {
      for x in 0..<stored.width {
        let source = (y * stored.width + x) * storedChannels
        let target = ((y + frame.top) * width + x + frame.left) * channels
        for channel in 0..<channels {
          pixels[target + channel] =
            channel < storedChannels ? stored.pixels[source + channel] : 255
        }
      }
    }
    return StoredPicture(
      width: width, height: height, model: .rgb, hasAlpha: hasAlpha, pixels: pixels)
  }

  /// The first frame, and where it lies.
  private static func stored(
    _ bytes: [UInt8], width: Int, height: Int
  ) throws(ImageError) -> (StoredPicture, Frame) {
    var frame = Frame(bytes: 0..<bytes.count)
    if try features(of: bytes, in: frame.bytes).has_animation != 0 {
      frame = try firstFrame(of: bytes)
    }
    let features = try features(of: bytes, in: frame.bytes)
    let (frameWidth, frameHeight) = (Int(features.width), Int(features.height))
    guard features.has_animation == 0, frame.left + frameWidth <= width,
      frame.top + frameHeight <= height
    else { throw .corrupt("the first frame does not fit the canvas") }

    let hasAlpha = features.has_alpha != 0
    let range = frame.bytes
    let stride = frameWidth * (hasAlpha ? 4 : 3)
    let pixels = try unsafe CodecBuffers.fill(bytes, count: stride * frameHeight) {
      source, target in
      let part = unsafe UnsafeBufferPointer(rebasing: source[range])
      return unsafe failure(
        decode(
          part, hasAlpha ? MODE_RGBA : MODE_RGB, into: target, stride: stride,
          count: stride * frameHeight))
    }
    return (
      StoredPicture(
        width: frameWidth, height: frameHeight, model: .rgb, hasAlpha: hasAlpha, pixels: pixels),
      frame
    )
  }

  private static func features(of bytes: [UInt8], in range: Range<Int>) throws(ImageError)
    -> WebPBitstreamFeatures
  {
    var features = WebPBitstreamFeatures()
    let status = unsafe bytes.withUnsafeBufferPointer { all in
      let part = unsafe UnsafeBufferPointer(rebasing: all[range])
      return unsafe WebPGetFeatures(part.baseAddress, part.count, &features)
    }
    try check(status)
    return features
  }

  /// The first ANMF chunk's picture (RFC 9649 §2.7.1.2).
  ///
  /// Its data are an optional ALPH and a VP8 or VP8L chunk, which libwebp reads without a RIFF header.
  private static func firstFrame(of bytes: [UInt8]) throws(ImageError) -> Frame {
    var offset = 12
    while offset + 8 <= bytes.count {
      let size = little(bytes, offset + 4, 4)
      let start = offset + 8
      guard size <= bytes.count - start else { throw .truncated }
      if bytes[offset..<offset + 4].elementsEqual("ANMF".utf8) {
        guard size > 16 else { throw .corrupt("an ANMF chunk of \(size) bytes") }
        return Frame(
          bytes: start + 16..<start + size, left: little(bytes, start, 3) * 2,
          top: little(bytes, start + 3, 3) * 2)
      }
      offset = start + size + size % 2
    }
    throw .truncated
  }

  /// One call of libwebp's decoder, on `count` bytes at `target` that the caller owns.
  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ mode: WEBP_CSP_MODE,
    into target: UnsafeMutablePointer<UInt8>, stride: Int, count: Int
  ) -> VP8StatusCode {
    var config = unsafe WebPDecoderConfig()
    guard unsafe WebPInitDecoderConfig(&config) != 0 else { return VP8_STATUS_INVALID_PARAM }
    unsafe config.output.colorspace = mode
    unsafe config.output.is_external_memory = 1
    unsafe config.output.u.RGBA.rgba = target
    unsafe config.output.u.RGBA.stride = Int32(stride)
    unsafe config.output.u.RGBA.size = count
    defer { unsafe WebPFreeDecBuffer(&config.output) }
    return unsafe WebPDecode(bytes.baseAddress, bytes.count, &config)
  }

  private static func check(_ status: VP8StatusCode) throws(ImageError) {
    if let failure = failure(status) { throw failure }
  }

  private static func failure(_ status: VP8StatusCode) -> ImageError? {
    switch status {
    case VP8_STATUS_OK: nil
    case VP8_STATUS_SUSPENDED, VP8_STATUS_NOT_ENOUGH_DATA: .truncated
    case VP8_STATUS_OUT_OF_MEMORY: .corrupt("libwebp ran out of memory")
    case VP8_STATUS_UNSUPPORTED_FEATURE: .corrupt("an unsupported feature of WebP")
    default: .corrupt("the WebP bitstream is broken")
    }
  }

  /// A little-endian number of `count` bytes.
  private static func little(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
