import ImageCodec
import PerceptualHash
import PipelineCore

/// One downloaded body to be made into what is kept.
struct PictureRequest: Sendable, Equatable {
  /// The file that holds it, and where.
  var path: String
  var bytes: ByteRange
  /// The row's boxes to blur: x0, y0, x1, y1 of each, from 0 to 1.
  var boxes: [[Double]] = []
}

/// What one body became, or why it is dropped.
struct Picture: Sendable, Equatable {
  /// What is kept.
  var bytes: [UInt8] = []
  /// Its file extension.
  var format = ""
  var width = 0
  var height = 0
  var originalWidth: Int?
  var originalHeight: Int?
  var phash: String?
  /// What it looks like, as ``PictureSignature`` writes it.
  var signature: String?
  var exif: String?
  var drop: Drop?
  /// What the content is, where that is known.
  var source: ImageFormat?
}

/// Turns one downloaded body into what is kept of it, or says why not.
struct PictureMaker: Sendable {
  private let options: DecodeOptions
  private let codec: PictureCodec
  /// Called where a decoder could not have the memory it asked for; by default that is the file's fault.
  private let outOfMemory: @Sendable () -> Void

  init(options: DecodeOptions, outOfMemory: @escaping @Sendable () -> Void = {}) {
    self.options = options
    codec = PictureCodec(options: options)
    self.outOfMemory = outOfMemory
  }

  func picture(from body: [UInt8], boxes: [[Double]] = []) -> Picture {
    var picture = Picture()
    do throws(ImageError) {
      try make(body, boxes, &picture)
    } catch {
      if Self.isForWantOfMemory(error) { outOfMemory() }
      picture.drop = Drop(DropReason(error), detail: error.description)
    }
    return picture
  }

  /// What a body shows, decoded at the same scale as where something is made of it.
  func examine(_ body: [UInt8]) -> Result<ExaminedPicture, PictureRefusal> {
    do throws(ImageError) {
      let header = try codec.header(of: body)
      let scaled = options.resizeMode.scaledSize(
        width: header.width, height: header.height, size: options.imageSize,
        onlyIfBigger: options.resizeOnlyIfBigger)
      let isScaled = scaled != (header.width, header.height)
      let decoded = try codec.decode(body, atLeast: isScaled ? scaled : nil)
      return .success(
        ExaminedPicture(
          width: decoded.width, height: decoded.height, format: decoded.format,
          signature: PictureSignature(
            of: decoded.image, original: (decoded.width, decoded.height))))
    } catch {
      if Self.isForWantOfMemory(error) { outOfMemory() }
      return .failure(PictureRefusal(drop: Drop(DropReason(error), detail: error.description)))
    }
  }

  private func make(
    _ body: [UInt8], _ boxes: [[Double]], _ picture: inout Picture
  ) throws(ImageError) {
    let header = try codec.header(of: body)
    picture.source = header.format
    picture.originalWidth = header.width
    picture.originalHeight = header.height
    picture.drop = refusal(width: header.width, height: header.height)
    if picture.drop != nil { return }
    // A picture one pixel wide would become gigabytes on its way to the size.
    let scaled = options.resizeMode.scaledSize(
      width: header.width, height: header.height, size: options.imageSize,
      onlyIfBigger: options.resizeOnlyIfBigger)
    let (area, overflow) = scaled.width.multipliedReportingOverflow(by: scaled.height)
    guard !overflow, area <= options.maxPixels else {
      throw .tooManyPixels(width: scaled.width, height: scaled.height, limit: options.maxPixels)
    }
    let isScaled = scaled != (header.width, header.height)
    let mayStay = options.disableAllReencoding
    let decoded = try codec.decode(body, atLeast: isScaled && !mayStay ? scaled : nil)
    let look = PictureSignature.withHash(
      of: decoded.image, original: (decoded.width, decoded.height))
    picture.phash = look.hash.hex
    picture.signature = look.signature.text
    if options.extractEXIF { picture.exif = ImageMetadata.exifJSON(of: body) }
    if mayStay && boxes.isEmpty {
      try codec.checkIsWhole(body)
      keep(body, of: decoded, &picture)
      return
    }
    let image = codec.resized(decoded, blurring: boxes)
    if options.skipReencode, boxes.isEmpty, decoded.format == codec.encoding.format,
      (image.width, image.height) == (decoded.width, decoded.height),
      codec.isWhole(body), try codec.shows(body, header, image)
    {
      keep(body, of: decoded, &picture)
      return
    }
    picture.bytes = try codec.encoding.encode(image)
    picture.format = codec.encoding.fileExtension
    picture.width = image.width
    picture.height = image.height
  }

  private func keep(_ body: [UInt8], of decoded: DecodedPicture, _ picture: inout Picture) {
    picture.bytes = body
    picture.format = decoded.format == .jpeg ? "jpg" : decoded.format.rawValue
    picture.width = decoded.width
    picture.height = decoded.height
  }

  /// The rules on the original's size, in img2dataset's order.
  private func refusal(width: Int, height: Int) -> Drop? {
    let (short, long) = (min(width, height), max(width, height))
    let size = "\(width)x\(height)"
    if short < options.minImageSize { return Drop(.imageTooSmall, detail: size) }
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    if options.maxImageArea > 0, overflow || area > options.maxImageArea {
      return Drop(.imageAreaTooLarge, detail: size)
    }
    if options.maxAspectRatio > 0, Double(long) > options.maxAspectRatio * Double(short) {
      return Drop(.aspectRatioTooLarge, detail: size)
    }
    return nil
  }

  /// The words of the libraries for a malloc that failed.
  private static func isForWantOfMemory(_ error: ImageError) -> Bool {
    switch error {
    case .corrupt(let words), .cannotEncode(let words):
      words.lowercased().contains("memory") || words.lowercased().contains("allocate")
    default: false
    }
  }
}
