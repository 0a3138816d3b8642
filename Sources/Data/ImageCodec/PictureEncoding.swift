/// How a picture is written, and under which file extension.
public enum PictureEncoding: Sendable, Equatable {
  /// - Parameters: as of ``ImageEncoder/jpeg(_:quality:subsampling:optimised:progressive:)``.
  case jpeg(quality: Int, subsampling: ChromaSubsampling = .s420, optimised: Bool = false)
  /// - Parameter level: as of ``ImageEncoder/png(_:level:)``.
  case png(level: Int)
  /// - Parameter quality: as of ``ImageEncoder/webp(_:quality:)``.
  case webp(quality: Int)
  case webpLossless

  /// Of the files, without a dot; img2dataset's names.
  public var fileExtension: String {
    switch self {
    case .jpeg: "jpg"
    case .png: "png"
    case .webp, .webpLossless: "webp"
    }
  }

  /// What the files are.
  public var format: ImageFormat {
    switch self {
    case .jpeg: .jpeg
    case .png: .png
    case .webp, .webpLossless: .webp
    }
  }

  /// - Returns: The whole file.
  /// - Throws: `cannotEncode`.
  public func encode(_ image: RGBImage) throws(ImageError) -> [UInt8] {
    switch self {
    case .jpeg(let quality, let subsampling, let optimised):
      try ImageEncoder.jpeg(
        image, quality: quality, subsampling: subsampling, optimised: optimised)
    case .png(let level): try ImageEncoder.png(image, level: level)
    case .webp(let quality): try ImageEncoder.webp(image, quality: quality)
    case .webpLossless: try ImageEncoder.webpLossless(image)
    }
  }
}

/// How many pixels share a colour in a JPEG; brightness is kept of each.
public enum ChromaSubsampling: String, Sendable, Codable, CaseIterable {
  /// 4:4:4, each its own.
  case s444 = "444"
  /// 4:2:2, two side by side.
  case s422 = "422"
  /// 4:2:0, two by two.
  case s420 = "420"
}
