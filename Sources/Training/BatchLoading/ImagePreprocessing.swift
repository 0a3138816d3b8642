import Glibc
public import ImageCodec
public import SeededRandom
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

  /// Crops a random part of the picture, resizes it by bicubic, normalises.
  ///
  /// - Parameters:
  ///   - image: The decoded picture.
  ///   - random: Address it by what it is for, and a resumed run draws the same.
  ///   - scale: Share of the area that the part may have.
  /// - Returns: 3·size·size values, channel first.
  public func train(_ image: RGBImage, random: inout RandomStream, scale: ClosedRange<Double>)
    -> [Float]
  {
    let box = Self.randomCrop(width: image.width, height: image.height, scale: scale) {
      random.uniform()
    }
    return normalized(
      image.cropped(left: box.left, top: box.top, width: box.width, height: box.height)
        .resized(width: size, height: size, filter: .bicubic))
  }

  /// A part of a picture, in pixels.
  public struct Box: Equatable, Sendable {
    public var left: Int
    public var top: Int
    public var width: Int
    public var height: Int

    public init(left: Int, top: Int, width: Int, height: Int) {
      self.left = left
      self.top = top
      self.width = width
      self.height = height
    }
  }

  /// The part that `RandomResizedCrop` takes, given draws from 0 ..< 1 in the order it makes them.
  ///
  /// Ten tries of a share of the area within `scale` and an aspect ratio between 3/4 and 4/3, even in
  /// its logarithm; then the largest centred part with an allowed ratio.
  ///
  /// - Source: torchvision `RandomResizedCrop.get_params`.
  package static func randomCrop(
    width: Int, height: Int, scale: ClosedRange<Double>, _ draw: () -> Double
  ) -> Box {
    let (low, high) = (3.0 / 4, 4.0 / 3)
    let area = Double(width * height)
    for _ in 0..<10 {
      let target = area * (scale.lowerBound + draw() * (scale.upperBound - scale.lowerBound))
      let ratio = exp(log(low) + draw() * (log(high) - log(low)))
      let w = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
      let h = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
      guard w > 0, w <= width, h > 0, h <= height else { continue }
      let top = min(height - h, Int(draw() * Double(height - h + 1)))
      let left = min(width - w, Int(draw() * Double(width - w + 1)))
      return Box(left: left, top: top, width: w, height: h)
    }
    var (w, h) = (width, height)
    let ratio = Double(width) / Double(height)
    if ratio < low { h = min(height, Int((Double(w) / low).rounded(.toNearestOrEven))) }
    if ratio > high { w = min(width, Int((Double(h) * high).rounded(.toNearestOrEven))) }
    return Box(left: (width - w) / 2, top: (height - h) / 2, width: w, height: h)
  }

  /// Square pictures of ``size`` as an image tower takes them, each as by ``evaluate(_:)``.
  ///
  /// - Parameter squares: B pictures, as ``square(_:)`` makes them.
  /// - Returns: `[B, 3, S, S]`.
  public func tensor(of squares: [RGBImage]) -> Tensor {
    let count = 3 * size * size
    var result = Tensor(uninitialized: [squares.count, 3, size, size])
    result.withMutableSpan { span in
      for (place, square) in squares.enumerated() {
        precondition(
          square.width == size && square.height == size,
          "preprocessing: \(square.width) × \(square.height) pixels where \(size) are wanted")
        normalize(square, into: &span, at: place * count)
      }
    }
    return result
  }

  /// Pixel bytes to channel-first values (x/255 − mean)/std, computed in Float as torchvision does.
  func normalized(_ image: RGBImage) -> [Float] {
    var values = [Float](repeating: 0, count: 3 * image.width * image.height)
    var span = values.mutableSpan
    normalize(image, into: &span, at: 0)
    return values
  }

  private func normalize(_ image: RGBImage, into values: inout MutableSpan<Float>, at start: Int) {
    let count = image.width * image.height
    for channel in 0..<3 {
      // 256 possible bytes: a table is exact and spares the divisions.
      let table = (0..<256).map { (Float($0) / 255 - mean[channel]) / std[channel] }
      let first = start + channel * count
      for pixel in 0..<count {
        values[first + pixel] = table[Int(image.pixels[pixel * 3 + channel])]
      }
    }
  }
}
