import ImageCodec
import PipelineCore

/// Turns one downloaded body into the JPEG that is kept, or says why not.
struct PictureMaker: Sendable {
  struct Picture: Sendable {
    var sha256: String
    var jpeg: [UInt8] = []
    var width = 0
    var height = 0
    var originalWidth: Int?
    var originalHeight: Int?
    var drop: Drop?
  }

  var options: DecodeOptions

  func picture(from body: [UInt8], sha256: String) -> Picture {
    var picture = Picture(sha256: sha256)
    do throws(ImageError) {
      let header = try ImageDecoder.header(of: body)
      picture.originalWidth = header.width
      picture.originalHeight = header.height
      picture.drop = refusal(width: header.width, height: header.height)
      if picture.drop != nil { return picture }
      // A picture one pixel wide would become gigabytes on its way to the size.
      let scaled = options.resizeMode.scaledSize(
        width: header.width, height: header.height, size: options.imageSize,
        onlyIfBigger: options.resizeOnlyIfBigger)
      let (area, overflow) = scaled.width.multipliedReportingOverflow(by: scaled.height)
      guard !overflow, area <= options.maxPixels else {
        throw .tooManyPixels(width: scaled.width, height: scaled.height, limit: options.maxPixels)
      }
      let image = try ImageDecoder.decode(body, maxPixels: options.maxPixels).resized(
        mode: options.resizeMode, size: options.imageSize, onlyIfBigger: options.resizeOnlyIfBigger)
      picture.jpeg = try ImageEncoder.jpeg(image, quality: options.encodeQuality)
      picture.width = image.width
      picture.height = image.height
    } catch {
      picture.drop = Drop(DropReason(error), detail: error.description)
    }
    return picture
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
}
