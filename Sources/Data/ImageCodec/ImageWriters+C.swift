import CImageShim
import CWebP

/// Writes JPEG (ITU-T T.81) through libjpeg-turbo.
enum JPEGWriter {
  static func encode(
    _ image: RGBImage, quality: Int, subsampling: ChromaSubsampling, optimised: Bool,
    progressive: Bool
  ) throws(ImageError) -> [UInt8] {
    guard max(image.width, image.height) <= 65_500 else {
      throw .cannotEncode("\(image.width)x\(image.height) pixels; JPEG ends at 65,500 a side")
    }
    var options = cimage_jpeg_options()
    options.quality = Int32(quality)
    options.luma_width = subsampling == .s444 ? 1 : 2
    options.luma_height = subsampling == .s420 ? 2 : 1
    options.optimised = optimised ? 1 : 0
    options.progressive = progressive ? 1 : 0
    return try unsafe CodecBuffers.encode(image) { pixels, made, count, report in
      unsafe cimage_jpeg_encode(
        pixels, UInt32(image.width), UInt32(image.height), options, made, count, report)
    }
  }
}

/// Writes PNG (W3C Recommendation, second edition) through libpng.
enum PNGWriter {
  static func encode(_ image: RGBImage, level: Int) throws(ImageError) -> [UInt8] {
    try unsafe CodecBuffers.encode(image) { pixels, made, count, report in
      unsafe cimage_png_encode(
        pixels, UInt32(image.width), UInt32(image.height), Int32(level), made, count, report)
    }
  }
}

/// Writes WebP (RFC 9649) through libwebp.
enum WebPWriter {
  /// A quality of nil is lossless.
  static func encode(_ image: RGBImage, quality: Int?) throws(ImageError) -> [UInt8] {
    guard max(image.width, image.height) <= 16_383 else {
      throw .cannotEncode("\(image.width)x\(image.height) pixels; WebP ends at 16,383 a side")
    }
    let (width, height) = (Int32(image.width), Int32(image.height))
    var made: UnsafeMutablePointer<UInt8>?
    let count = unsafe image.pixels.withUnsafeBufferPointer { pixels in
      if let quality {
        unsafe WebPEncodeRGB(
          pixels.baseAddress, width, height, width * 3, Float(quality), &made)
      } else {
        unsafe WebPEncodeLosslessRGB(pixels.baseAddress, width, height, width * 3, &made)
      }
    }
    defer { unsafe WebPFree(made) }
    guard count > 0 else { throw .cannotEncode("libwebp ran out of memory") }
    return unsafe [UInt8](UnsafeBufferPointer(start: made, count: count))
  }
}
