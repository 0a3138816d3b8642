import CImageShim

/// JPEG (ITU-T T.81) through libjpeg-turbo.
enum JPEGCodec {
  /// The markers up to the first scan.
  static func info(
    of bytes: [UInt8]
  ) throws(ImageError) -> (width: Int, height: Int, model: StoredPicture.Model) {
    var report = cimage_report()
    var info = cimage_jpeg_info()
    let code = unsafe bytes.withUnsafeBufferPointer {
      unsafe cimage_jpeg_header($0.baseAddress, $0.count, &info, &report)
    }
    if let failure = CodecBuffers.failure(code, report) { throw failure }
    let model: StoredPicture.Model = info.channels == 4 ? .inks : info.channels == 1 ? .grey : .rgb
    return (Int(info.width), Int(info.height), model)
  }

  /// RGB at `eighths` of the size, which is 1, 2, 4 or 8.
  static func decode(
    _ bytes: [UInt8], width: Int, height: Int, eighths: Int, settings: DecodeSettings
  ) throws(ImageError) -> RGBImage {
    let stored = try stored(
      bytes, width: width, height: height, eighths: eighths, model: .rgb, settings: settings)
    return stored.image
  }

  /// The picture in its own colours, for a profile.
  static func stored(
    _ bytes: [UInt8], width: Int, height: Int, eighths: Int, model: StoredPicture.Model,
    settings: DecodeSettings
  ) throws(ImageError) -> StoredPicture {
    let channels = StoredPicture.channels(of: model, hasAlpha: false)
    var request = cimage_jpeg_request()
    request.width = UInt32(width)
    request.height = UInt32(height)
    request.eighths = Int32(eighths)
    request.channels = Int32(channels)
    request.tolerates_truncation = settings.toleratesTruncation ? 1 : 0
    request.tolerates_damage = settings.toleratesDamage ? 1 : 0
    request.opencv_inks = settings.inks == .openCV ? 1 : 0
    let needed = eighths == 1 ? ProgressiveScans.forEighths(bytes) : nil
    request.lacks_scans = needed == nil ? 0 : 1
    let (columns, rows) = ((width * eighths + 7) / 8, (height * eighths + 7) / 8)
    let pixels = try unsafe CodecBuffers.fill(needed ?? bytes, count: columns * rows * channels) {
      source, target in
      var report = cimage_report()
      let code = unsafe cimage_jpeg_decode(
        source.baseAddress, source.count, &request, target, &report)
      return CodecBuffers.failure(code, report)
    }
    return StoredPicture(
      width: columns, height: rows, model: model, hasAlpha: false, pixels: pixels)
  }
}
