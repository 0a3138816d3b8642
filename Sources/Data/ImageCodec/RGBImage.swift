/// A picture in memory: 8-bit RGB, no alpha, rows from the top.
public struct RGBImage: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// `height * width * 3` values: red, green, blue of each pixel, row by row.
  public var pixels: [UInt8]

  /// - Parameters:
  ///   - width: At least 1.
  ///   - height: At least 1.
  ///   - pixels: `height * width * 3` values.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image of \(width)x\(height)")
    precondition(
      pixels.count == width * height * 3,
      "an image of \(width)x\(height) has \(width * height * 3) values, not \(pixels.count)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The rectangle of `width` × `height` pixels from (`left`, `top`), which must lie inside.
  public func cropped(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
    precondition(
      left >= 0 && top >= 0 && width > 0 && height > 0 && left <= self.width - width
        && top <= self.height - height,
      "a crop of \(width)x\(height) at (\(left), \(top)) from \(self.width)x\(self.height)")
    if width == self.width && height == self.height { return self }
    var result: [UInt8] = []
    result.reserveCapacity(width * height * 3)
    for y in top..<top + height {
      let start = (y * self.width + left) * 3
      result.append(contentsOf: pixels[start..<start + width * 3])
    }
    return RGBImage(width: width, height: height, pixels: result)
  }

  /// The picture on white, enlarged to `width` × `height`, with its corner at (`left`, `top`).
  func padded(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
    precondition(left >= 0 && top >= 0 && left + self.width <= width && top + self.height <= height)
    var result = [UInt8](repeating: 255, count: width * height * 3)
    for y in 0..<self.height {
      let source = y * self.width * 3
      let target = ((y + top) * width + left) * 3
      result.replaceSubrange(
        target..<target + self.width * 3, with: pixels[source..<source + self.width * 3])
    }
    return RGBImage(width: width, height: height, pixels: result)
  }
}
