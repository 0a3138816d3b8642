import CImageShim

/// JPEG (ITU-T T.81) through libjpeg-turbo.
enum JPEGCodec {
  static func size(of bytes: [UInt8]) throws(ImageError) -> (width: Int, height: Int) {
    var report = cimage_report()
    var width: UInt32 = 0
    var height: UInt32 = 0
    let code = unsafe bytes.withUnsafeBufferPointer {
      unsafe cimage_jpeg_header($0.baseAddress, $0.count, &width, &height, &report)
    }
    if let failure = CodecBuffers.failure(code, report) { throw failure }
    return (Int(width), Int(height))
  }

  static func decode(_ bytes: [UInt8], width: Int, height: Int) throws(ImageError) -> RGBImage {
    try unsafe CodecBuffers.decode(bytes, width: width, height: height) { source, target in
      var report = cimage_report()
      let code = unsafe cimage_jpeg_decode(
        source.baseAddress, source.count, target, UInt32(width), UInt32(height), &report)
      return CodecBuffers.failure(code, report)
    }
  }
}
