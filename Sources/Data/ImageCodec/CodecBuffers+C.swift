import CImageShim

/// The two sides of a call into a codec library: bytes in, room for pixels out.
enum CodecBuffers {
  /// Lets `fill` write `count` bytes, given the base of `bytes`.
  static func fill(
    _ bytes: [UInt8], count: Int,
    _ fill: (UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<UInt8>) -> ImageError?
  ) throws(ImageError) -> [UInt8] {
    var failure: ImageError?
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      // Safe: a picture has at least one pixel, so there is room; `fill` returns before both go.
      guard let target = room.baseAddress else { return }
      failure = unsafe bytes.withUnsafeBufferPointer { unsafe fill($0, target) }
      // On failure the array is thrown away unread.
      filled = failure == nil ? count : 0
    }
    if let failure { throw failure }
    return pixels
  }

  /// Lets `fill` write `width * height * 3` bytes of RGB, given the base of `bytes`.
  static func decode(
    _ bytes: [UInt8], width: Int, height: Int,
    _ fill: (UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<UInt8>) -> ImageError?
  ) throws(ImageError) -> RGBImage {
    let pixels = try unsafe self.fill(bytes, count: width * height * 3, fill)
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// The error that a shim's return code stands for, none for success.
  static func failure(_ code: Int32, _ report: cimage_report) -> ImageError? {
    switch Int(code) {
    case CIMAGE_OK: nil
    case CIMAGE_TRUNCATED: .truncated
    default: .corrupt(message(report))
    }
  }

  /// The library's words.
  static func message(_ report: cimage_report) -> String {
    unsafe withUnsafeBytes(of: report.message) { raw in
      unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Runs a shim's encoder and takes over what it made.
  static func encode(
    _ image: RGBImage,
    _ body: (
      UnsafePointer<UInt8>?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>,
      UnsafeMutablePointer<Int>, UnsafeMutablePointer<cimage_report>
    ) -> Int32
  ) throws(ImageError) -> [UInt8] {
    var report = cimage_report()
    var made: UnsafeMutablePointer<UInt8>?
    var count = 0
    let code = unsafe image.pixels.withUnsafeBufferPointer {
      unsafe body($0.baseAddress, &made, &count, &report)
    }
    guard Int(code) == CIMAGE_OK else { throw .cannotEncode(message(report)) }
    defer { unsafe cimage_free(made) }
    return unsafe [UInt8](UnsafeBufferPointer(start: made, count: count))
  }
}
