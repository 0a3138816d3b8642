import ImageCodec

/// The calls into ImageCodec, with a recipe's options for its own.
struct PictureCodec: Sendable {
  private let options: DecodeOptions
  private let settings: DecodeSettings
  let encoding: PictureEncoding

  init(options: DecodeOptions) {
    self.options = options
    var settings = options.compatibility == .img2dataset ? .img2dataset : DecodeSettings()
    settings.maxPixels = options.maxPixels
    settings.maxSide = options.maxSide
    settings.maxFrames = options.maxFrames
    settings.appliesOrientation = options.orientation
    settings.convertsProfiles = options.convertProfiles
    settings.toleratesTruncation = options.tolerateTruncated
    settings.exact = options.exact
    self.settings = settings
    encoding =
      switch options.encodeFormat {
      case .jpg:
        .jpeg(
          quality: options.encodeQuality, subsampling: options.encodeSubsampling,
          optimised: options.encodeOptimized)
      case .png: .png(level: options.encodeQuality)
      case .webp:
        options.encodeQuality > 100 ? .webpLossless : .webp(quality: options.encodeQuality)
      }
  }

  func header(of body: [UInt8]) throws(ImageError) -> ImageHeader {
    try ImageDecoder.header(of: body, settings: settings)
  }

  /// Decodes a file; `target` is the size that the picture will be resized to, nil for none.
  func decode(
    _ body: [UInt8], atLeast target: (width: Int, height: Int)?
  ) throws(ImageError) -> DecodedPicture {
    try ImageDecoder.decode(body, settings: settings, atLeast: target)
  }

  /// Makes sure that a file whose own bytes are to be kept is whole, though damaged ones may be decoded.
  ///
  /// - Throws: What is wrong with it. Costs a second decoding, at an eighth of the size, where damage
  ///   passes; nothing elsewhere.
  func checkIsWhole(_ body: [UInt8]) throws(ImageError) {
    guard settings.toleratesTruncation || settings.toleratesDamage else { return }
    var strict = settings
    strict.toleratesTruncation = false
    strict.toleratesDamage = false
    strict.exact = false
    _ = try ImageDecoder.decode(body, settings: strict, atLeast: (1, 1))
  }

  /// Whether the same holds.
  func isWhole(_ body: [UInt8]) -> Bool {
    do throws(ImageError) {
      try checkIsWhole(body)
      return true
    } catch {
      return false  // what is wrong does not matter: it is encoded anew
    }
  }

  /// The picture at the size and with the blur that are asked for.
  func resized(_ decoded: DecodedPicture, blurring boxes: [[Double]]) -> RGBImage {
    decoded.image.resized(
      mode: options.resizeMode, size: options.imageSize, onlyIfBigger: options.resizeOnlyIfBigger,
      filters: ResizeFilters(
        downscale: options.downscaleInterpolation, upscale: options.upscaleInterpolation),
      of: (decoded.width, decoded.height),
      blurring: boxes.map { BlurBox(left: $0[0], top: $0[1], right: $0[2], bottom: $0[3]) })
  }

  /// Whether the file's own bytes show `image` to everyone, with or without heed of orientation, profile
  /// and transparency.
  func shows(
    _ body: [UInt8], _ header: ImageHeader, _ image: RGBImage
  ) throws(ImageError) -> Bool {
    if header.hasAlpha || header.frames > 1 { return false }
    guard options.orientation || options.convertProfiles else { return true }
    var plain = settings
    plain.appliesOrientation = false
    plain.convertsProfiles = false
    plain.exact = true
    return try ImageDecoder.decode(body, settings: plain).image == image
  }
}
