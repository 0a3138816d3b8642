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

  static func decode(_ bytes: [UInt8], width: Int, height: Int) throws(ImageError) -> RGBImage {
    try unsafe CodecBuffers.decode(bytes, width: width, height: height) { source, target in
      var report = cimage_report()
      let code = unsafe cimage_png_decode(
        source.baseAddress, source.count, target, UInt32(width), UInt32(height), &report)
      return CodecBuffers.failure(code, report)
    }
  }
}
