extension ImageDecoder {
  /// The picture in `bytes` in the colours of its file, as Pillow's `open` gives it.
  ///
  /// Neither orientation nor profile is applied, and alpha waits: what is to be resized is resized in these
  /// colours first. A transparent colour without alpha of its own (PNG's tRNS, GIF) is shown.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - maxPixels: The most pixels decoded, width times height. The default is Pillow's limit.
  /// - Returns: The picture, of the size that the header declares.
  /// - Throws: As ``decode(_:maxPixels:)``.
  public static func filePicture(
    in bytes: [UInt8], maxPixels: Int = 89_478_485
  ) throws(ImageError) -> FilePicture {
    let parsed = try ParsedFile(bytes)
    var settings = DecodeSettings.pillow
    (settings.maxPixels, settings.maxSide) = (maxPixels, .max)
    (settings.maxBytes, settings.maxFrames) = (.max, .max)
    try parsed.check(settings)
    switch parsed.format {
    case .jpeg where parsed.model == .inks: return try inks(bytes, parsed, settings)
    case .png: return try png(bytes, parsed, settings)
    case .webp:
      let stored = try WebPCodec.whole(bytes, width: parsed.width, height: parsed.height)
      return FilePicture(layers(of: stored))
    case .gif:
      let image = try GIFCodec.decode(
        bytes, width: parsed.width, height: parsed.height, showsTransparent: true)
      let table = try GIFStructure(bytes).colours.map { Array(bytes[$0]) } ?? []
      // Pillow calls a table of greys in their order no palette.
      let isGrey = table.indices.allSatisfy { Int(table[$0]) == $0 / 3 }
      return isGrey ? FilePicture(image) : FilePicture(.indexed(image, palette: table))
    default: return FilePicture(try decode(bytes, settings: settings).image)
    }
  }

  private static func png(
    _ bytes: [UInt8], _ parsed: ParsedFile, _ settings: DecodeSettings
  ) throws(ImageError) -> FilePicture {
    let (width, height) = (parsed.width, parsed.height)
    let chunks = PNGChunks(bytes)
    if chunks.colourType == 0, chunks.depth == 16 {
      return FilePicture(.deepGrey(try PNGCodec.deepGrey(bytes, width: width, height: height)))
    }
    let hasAlpha = chunks.colourType & 4 != 0
    let stored = try PNGCodec.stored(
      bytes, width: width, height: height, model: .rgb, hasAlpha: hasAlpha, settings: settings)
    if hasAlpha { return FilePicture(layers(of: stored)) }
    let image = RGBImage(width: width, height: height, pixels: stored.pixels)
    if chunks.colourType == 3 {
      let palette = chunks.palette.map { Array(bytes[$0]) } ?? []
      return FilePicture(.indexed(image, palette: palette))
    }
    return chunks.depth == 1 ? FilePicture(.bilevel(image)) : FilePicture(image)
  }

  private static func inks(
    _ bytes: [UInt8], _ parsed: ParsedFile, _ settings: DecodeSettings
  ) throws(ImageError) -> FilePicture {
    var stored = try JPEGCodec.stored(
      bytes, width: parsed.width, height: parsed.height, eighths: 8, model: .inks,
      settings: settings)
    // Pillow takes all inks for Adobe's, which are stored the other way round.
    if !JPEGSegments.read(bytes).isAdobe { stored.pixels = stored.pixels.map { 255 - $0 } }
    let (colours, black) = split(stored)
    return FilePicture(.inks(colours, black: black))
  }

  private static func layers(of stored: StoredPicture) -> FilePicture.Content {
    guard stored.hasAlpha else { return .plain(stored.image) }
    let (colours, alpha) = split(stored)
    return .alpha(colours, alpha: alpha)
  }

  /// The first three channels of four, and the last one three times.
  private static func split(_ stored: StoredPicture) -> (RGBImage, RGBImage) {
    let count = stored.width * stored.height
    precondition(stored.pixels.count == 4 * count, "a picture without four channels")
    var first = [UInt8](repeating: 0, count: 3 * count)
    var last = first
    for pixel in 0..<count {
      for channel in 0..<3 {
        first[3 * pixel + channel] = stored.pixels[4 * pixel + channel]
        last[3 * pixel + channel] = stored.pixels[4 * pixel + 3]
      }
    }
    return (
      RGBImage(width: stored.width, height: stored.height, pixels: first),
      RGBImage(width: stored.width, height: stored.height, pixels: last)
    )
  }
}
