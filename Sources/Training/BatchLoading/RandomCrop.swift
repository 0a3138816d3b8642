import Glibc
public import ImageCodec
public import SeededRandom

extension ImagePreprocessing {
  /// Crops a random part of the picture in the colours of its file, resizes it by bicubic, normalises.
  ///
  /// - Parameters:
  ///   - picture: What Pillow's `open` gives.
  ///   - random: Address it by what it is for, and a resumed run draws the same.
  ///   - scale: Share of the area that the part may have.
  /// - Returns: 3·size·size values, channel first.
  public func train(
    _ picture: FilePicture, random: inout RandomStream, scale: ClosedRange<Double>
  ) -> [Float] {
    let box = Self.randomCrop(width: picture.width, height: picture.height, scale: scale) {
      random.uniform()
    }
    return normalized(square(of: box, in: picture))
  }

  /// The 8-bit picture of a part: torchvision's `resized_crop` by bicubic with antialias, then Pillow's
  /// `convert("RGB")`, as open_clip's training transform orders them, bit for bit.
  ///
  /// - Returns: `size` × `size` pixels.
  package func square(of box: Box, in picture: FilePicture) -> RGBImage {
    picture.cropped(left: box.left, top: box.top, width: box.width, height: box.height)
      .resized(width: size, height: size, filter: .bicubic).rgb
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
  /// its logarithm; then the largest centred part with an allowed ratio. As in torchvision, shares and ratios
  /// are of single precision, and what is made of them of double.
  ///
  /// - Source: torchvision `RandomResizedCrop.get_params`.
  package static func randomCrop(
    width: Int, height: Int, scale: ClosedRange<Double>, _ draw: () -> Double
  ) -> Box {
    let (low, high) = (3.0 / 4, 4.0 / 3)
    let area = Double(width * height)
    let (least, most) = (Float(scale.lowerBound), Float(scale.upperBound))
    let (flat, tall) = (logf(Float(low)), logf(Float(high)))
    for _ in 0..<10 {
      let target = area * Double(Float(draw()) * (most - least) + least)
      let ratio = Double(Float(exp(Double(Float(draw()) * (tall - flat) + flat))))
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
}
