import ImageCodec
public import PipelineCore

extension DecodeOptions {
  /// Reads the options of decoding; those that img2dataset has no word for follow `compatibility`.
  public init(from reader: inout RecipeReader) throws(RecipeError) {
    self.init()
    compatibility = try reader.choice("compatibility", default: compatibility)
    let isForeign = compatibility == .img2dataset
    try readSizes(&reader)
    exact = try reader.bool("exact", default: isForeign)
    orientation = try reader.bool("orientation", default: !isForeign)
    convertProfiles = try reader.bool("convert_profiles", default: !isForeign)
    tolerateTruncated = try reader.bool("tolerate_truncated", default: tolerateTruncated)
    try readLimits(&reader)
    try readEncoding(&reader)
    bboxColumn = try reader.string("bbox_column")
    extractEXIF = try reader.bool("extract_exif", default: extractEXIF)
    memory = try reader.int("decode_memory", default: memory, in: 0...(1 << 40))
    cpuSeconds = try reader.int("decode_cpu_seconds", default: cpuSeconds, in: 1...86_400)
    wallSeconds = try reader.int("decode_wall_seconds", default: wallSeconds, in: 1...86_400)
    stopsOnCrashes = try reader.bool("stop_on_crashes", default: stopsOnCrashes, tuning: true)
  }

  private mutating func readSizes(_ reader: inout RecipeReader) throws(RecipeError) {
    imageSize = try reader.int("image_size", default: imageSize, in: 1...16_384)
    resizeMode = try reader.choice(
      "resize_mode", among: [.no, .border, .keepRatio, .keepRatioLargest, .centerCrop],
      default: resizeMode)
    resizeOnlyIfBigger = try reader.bool("resize_only_if_bigger", default: resizeOnlyIfBigger)
    upscaleInterpolation = try reader.choice(
      "upscale_interpolation", default: upscaleInterpolation)
    downscaleInterpolation = try reader.choice(
      "downscale_interpolation", default: downscaleInterpolation)
  }

  private mutating func readLimits(_ reader: inout RecipeReader) throws(RecipeError) {
    maxPixels = try reader.int("max_pixels", default: maxPixels, in: 1...(1 << 30))
    maxSide = try reader.int("max_side", default: maxSide, in: 1...(1 << 20))
    maxFrames = try reader.int("max_frames", default: maxFrames, in: 1...(1 << 20))
    minImageSize = try reader.int("min_image_size", default: minImageSize, in: 0...(1 << 20))
    maxImageArea = try reader.int("max_image_area", default: maxImageArea, in: 0...(1 << 40))
    maxAspectRatio = try reader.double("max_aspect_ratio", default: maxAspectRatio, in: 0...1e6)
  }

  private mutating func readEncoding(_ reader: inout RecipeReader) throws(RecipeError) {
    encodeFormat = try reader.choice("encode_format", default: encodeFormat)
    let (range, usual) =
      switch encodeFormat {
      case .jpg: (1...100, 95)
      case .png: (0...9, 6)
      case .webp: (1...200, 95)
      }
    encodeQuality = try reader.int("encode_quality", default: usual, in: range)
    encodeSubsampling = try reader.choice("encode_subsampling", default: encodeSubsampling)
    encodeOptimized = try reader.bool("encode_optimized", default: encodeOptimized)
    skipReencode = try reader.bool("skip_reencode", default: skipReencode)
    disableAllReencoding = try reader.bool("disable_all_reencoding", default: disableAllReencoding)
  }
}
