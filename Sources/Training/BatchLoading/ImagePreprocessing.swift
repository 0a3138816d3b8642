public import ImageCodec
public import TensorEngine

/// From a decoded picture to the numbers that an image tower takes.
///
/// Equal to open_clip's transforms (torchvision on Pillow images) bit for bit in the 8-bit stages.
public struct ImagePreprocessing: Sendable, Codable, Equatable {
  /// How a picture of another shape becomes a square.
  public enum ResizeMode: String, Sendable, Codable, CaseIterable {
    /// The short side fits, the centre of the long one is kept.
    case shortest
    /// The long side fits, the short one gets borders.
    case longest
    /// Both sides fit, whatever the picture's shape.
    case squash
  }

  /// Side of the square picture, in pixels.
  public var size: Int
  /// Of red, green, blue; subtracted after division by 255.
  public var mean: [Float]
  /// Of red, green, blue; divided by at the end.
  public var std: [Float]
  /// How pixels are made in evaluation; training takes bicubic, as open_clip does.
  public var filter: ResampleFilter
  /// In evaluation; training takes random crops.
  public var resizeMode: ResizeMode
  /// The grey of borders.
  public var fillColor: UInt8

  /// CLIP's own mean and standard deviation.
  public static let clipMean: [Float] = [0.481_454_66, 0.457_827_5, 0.408_210_73]
  public static let clipStd: [Float] = [0.268_629_54, 0.261_302_58, 0.275_777_11]

  public init(
    size: Int, mean: [Float] = Self.clipMean, std: [Float] = Self.clipStd,
    filter: ResampleFilter = .bicubic, resizeMode: ResizeMode = .shortest, fillColor: UInt8 = 0
  ) {
    precondition(
      size > 0 && mean.count == 3 && std.count == 3,
      "preprocessing to \(size) px with \(mean.count) means and \(std.count) deviations")
    self.size = size
    self.mean = mean
    self.std = std
    self.filter = filter
    self.resizeMode = resizeMode
    self.fillColor = fillColor
  }

  /// As ``evaluate(_:)-(RGBImage)``, of a picture in the colours of its file: resized in them, then in RGB.
  ///
  /// open_clip's order on what Pillow's `open` gives, bit for bit.
  public func evaluate(_ picture: FilePicture) -> [Float] { normalized(square(picture)) }

  /// Brings the picture to a square of ``size`` by ``resizeMode``, normalises.
  ///
  /// - Returns: 3·size·size values, channel first.
  /// - Source: open_clip `image_transform`; the numbers equal torchvision's `ToTensor` and `Normalize` bit
  ///   for bit.
  public func evaluate(_ image: RGBImage) -> [Float] { normalized(square(image)) }

  /// The 8-bit picture that ``evaluate(_:)`` normalises.
  public func square(_ image: RGBImage) -> RGBImage { square(FilePicture(image)) }

  /// The 8-bit picture that ``evaluate(_:)-(FilePicture)`` normalises.
  public func square(_ picture: FilePicture) -> RGBImage {
    switch resizeMode {
    case .shortest: centerCrop(picture)
    case .longest: bordered(picture)
    case .squash: picture.resized(width: size, height: size, filter: filter).rgb
    }
  }

  /// The short side at ``size``, and the centre of the long one.
  ///
  /// - Returns: `size` × `size` pixels.
  /// - Source: torchvision `Resize` and `CenterCrop`: the long side is truncated, the offset is
  ///   rounded half to even.
  func centerCrop(_ image: FilePicture) -> RGBImage {
    let short = min(image.width, image.height)
    var resized = image
    if short != size {
      let long = Int(Double(size * max(image.width, image.height)) / Double(short))
      resized = image.resized(
        width: image.width <= image.height ? size : long,
        height: image.width <= image.height ? long : size, filter: filter)
    }
    let left = (Double(resized.width - size) / 2).rounded(.toNearestOrEven)
    let top = (Double(resized.height - size) / 2).rounded(.toNearestOrEven)
    return resized.croppedRGB(left: Int(left), top: Int(top), width: size, height: size)
  }

  /// Square pictures of ``size`` as an image tower takes them, each as by ``evaluate(_:)``.
  ///
  /// - Parameters:
  ///   - squares: B pictures, as ``square(_:)`` makes them.
  ///   - threads: That share the pictures.
  /// - Returns: `[B, 3, S, S]`.
  public func tensor(of squares: [RGBImage], threads: Int = 1) -> Tensor {
    Tensor(pictures: squares.map(\.pixels), side: size, tables: tables, threads: threads)
  }

  /// Pixel bytes to channel-first values (x/255 − mean)/std, computed in Float as torchvision does.
  func normalized(_ image: RGBImage) -> [Float] {
    Tensor(pictures: [image.pixels], side: size, tables: tables).values
  }

  /// 256 possible bytes: a table for each channel is exact and spares the divisions.
  private var tables: [[Float]] {
    (0..<3).map { channel in
      (0..<256).map { (Float($0) / 255 - mean[channel]) / std[channel] }
    }
  }
}
