/// What a file's structure says before a pixel is decoded.
struct ParsedFile {
  let format: ImageFormat
  /// As stored; at least 1.
  let width: Int
  let height: Int
  let hasAlpha: Bool
  /// The colours in which pixels are stored, as far as a profile may describe them.
  let model: StoredPicture.Model
  private let byteCount: Int
  private let frames: Int
  private let exif: Range<Int>?
  private let embeddedProfile: EmbeddedProfile

  private enum EmbeddedProfile {
    case none
    case jpeg(JPEGSegments.Found)
    case png
    case webp(Range<Int>)
  }

  init(_ bytes: [UInt8]) throws(ImageError) {
    if bytes.isEmpty { throw .empty }
    guard let format = ImageFormat.recognise(bytes) else { throw .notAnImage }
    self.format = format
    byteCount = bytes.count
    switch format {
    case .jpeg:
      (width, height, model) = try JPEGCodec.info(of: bytes)
      let found = JPEGSegments.read(bytes)
      (hasAlpha, frames, exif) = (false, 1, found.exif)
      embeddedProfile = found.profileCount > 0 ? .jpeg(found) : .none
    case .png:
      (width, height) = try PNGCodec.size(of: bytes)
      let chunks = PNGChunks(bytes)
      (hasAlpha, frames, exif) = (chunks.hasAlpha, chunks.frames, chunks.exif)
      model = chunks.model
      embeddedProfile = chunks.hasProfile ? .png : .none
    case .webp:
      let features = try WebPCodec.features(of: bytes)
      (width, height) = (features.width, features.height)
      let chunks = WebPChunks(bytes)
      (hasAlpha, frames, exif) = (features.hasAlpha, chunks.frames, chunks.exif)
      model = .rgb
      embeddedProfile = chunks.profile.map { .webp($0) } ?? .none
    case .gif:
      let structure = try GIFStructure(bytes)
      (width, height) = (structure.width, structure.height)
      (hasAlpha, frames, exif) = (structure.hasTransparency, structure.frames, nil)
      model = .rgb
      embeddedProfile = .none
    default: throw .unsupportedFormat(format)
    }
    guard width > 0, height > 0 else { throw .corrupt("a size of \(width)x\(height)") }
  }

  func check(_ settings: DecodeSettings) throws(ImageError) {
    guard byteCount <= settings.maxBytes else {
      throw .fileTooLarge(bytes: byteCount, limit: settings.maxBytes)
    }
    guard max(width, height) <= settings.maxSide else {
      throw .sideTooLong(width: width, height: height, limit: settings.maxSide)
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= settings.maxPixels else {
      throw .tooManyPixels(width: width, height: height, limit: settings.maxPixels)
    }
    guard frames <= settings.maxFrames else {
      throw .tooManyFrames(frames, limit: settings.maxFrames)
    }
  }

  func orientation(in bytes: [UInt8], _ settings: DecodeSettings) -> Orientation {
    guard settings.appliesOrientation, let exif else { return .upright }
    return EXIFReader.orientation(in: bytes, at: exif)
  }

  func header(_ orientation: Orientation) -> ImageHeader {
    let (columns, rows) = orientation.swapsSides ? (height, width) : (width, height)
    return ImageHeader(
      format: format, width: columns, height: rows, frames: frames, hasAlpha: hasAlpha)
  }

  /// The embedded profile, if there is one of the right shape.
  func profile(in bytes: [UInt8]) -> ColourProfile? {
    switch embeddedProfile {
    case .none: nil
    case .jpeg(let found): JPEGSegments.profile(found, in: bytes).flatMap { ColourProfile($0) }
    case .png: PNGCodec.profile(of: bytes).flatMap { ColourProfile($0) }
    case .webp(let range):
      range.count <= ColourProfile.maxBytes ? ColourProfile(Array(bytes[range])) : nil
    }
  }

  /// The smallest of libjpeg-turbo's fast scales, in eighths, that leaves the picture large enough.
  func eighths(
    _ target: (width: Int, height: Int)?, _ orientation: Orientation, _ settings: DecodeSettings
  ) -> Int {
    guard format == .jpeg, !settings.exact, let target else { return 8 }
    let (columns, rows) =
      orientation.swapsSides ? (target.height, target.width) : (target.width, target.height)
    let gap = max(1, settings.scaledDecodingGap)
    let scales = [1, 2, 4].first { scale in
      let share = Double(scale) / 8
      return Double(width) * share >= Double(columns) * gap
        && Double(height) * share >= Double(rows) * gap
    }
    return scales ?? 8
  }
}
