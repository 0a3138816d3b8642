import ImageCodec

enum TestPictures {
  /// A smooth picture with some structure, from a formula.
  static func gradient(width: Int, height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        pixels.append(UInt8(truncatingIfNeeded: x * 255 / max(1, width - 1)))
        pixels.append(UInt8(truncatingIfNeeded: y * 255 / max(1, height - 1)))
        pixels.append(UInt8(truncatingIfNeeded: (x / 4 + y / 4) % 2 == 0 ? 200 : 60))
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}
