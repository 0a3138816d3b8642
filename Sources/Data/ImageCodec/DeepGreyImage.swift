/// Grey of 16 bits, as Pillow's mode `I;16` has it.
struct DeepGreyImage: Sendable {
  let width: Int
  let height: Int
  /// `height` rows of `width` levels.
  var levels: [UInt16]

  /// What Pillow makes of it: a level above 255 is white, not its high byte.
  var rgb: RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: levels.flatMap { [UInt8](repeating: UInt8(min($0, 255)), count: 3) })
  }

  /// The rectangle of `width` × `height` pixels from (`left`, `top`), which must lie inside.
  func cropped(left: Int, top: Int, width: Int, height: Int) -> DeepGreyImage {
    precondition(
      left >= 0 && top >= 0 && width > 0 && height > 0 && left <= self.width - width
        && top <= self.height - height,
      "a crop of \(width)x\(height) at (\(left), \(top)) from \(self.width)x\(self.height)")
    let rows = (top..<top + height).map { $0 * self.width + left }
    return DeepGreyImage(
      width: width, height: height, levels: rows.flatMap { levels[$0..<$0 + width] })
  }

  /// Pillow's `Image.resize`, bit for bit, also where its two bytes do not go together.
  ///
  /// Source: Pillow, src/libImaging/Resample.c, `ImagingResampleHorizontal_16bpc` and its sister. Weights
  /// are doubles; each pass rounds to a whole number and cuts its two bytes to 0 … 255 one by one.
  func resized(width: Int, height: Int, filter: ResampleFilter) -> DeepGreyImage {
    let across = ResampleAxis(
      sourceSize: self.width, start: 0, end: Float(self.width), size: width, kept: 0..<width)
    let down = ResampleAxis(
      sourceSize: self.height, start: 0, end: Float(self.height), size: height, kept: 0..<height)
    var result = self
    // The passes in Pillow's order, as for colours.
    let rowsFirst = height < self.height && self.height - height > 2 * (self.width - width)
    if rowsFirst { result = result.pass(down, filter, isDown: true) }
    result = result.pass(across, filter, isDown: false)
    if !rowsFirst { result = result.pass(down, filter, isDown: true) }
    return result
  }

  private func pass(_ axis: ResampleAxis, _ filter: ResampleFilter, isDown: Bool) -> DeepGreyImage {
    if axis.keepsPixels { return self }
    let lines = isDown ? width : height
    let (next, nextLine) = isDown ? (width, 1) : (1, width)
    let (newWidth, newHeight) = isDown ? (width, axis.size) : (axis.size, height)
    var made = [UInt16](repeating: 0, count: newWidth * newHeight)
    var weights: [Double] = []
    for index in 0..<axis.size {
      let window = ResampleWeights.normalized(filter, axis, at: index, &weights)
      for line in 0..<lines {
        var sum = 0.0
        var place = line * nextLine + window.lowerBound * next
        for tap in 0..<window.count {
          sum += Double(levels[place]) * weights[tap]
          place += next
        }
        made[isDown ? index * width + line : line * axis.size + index] = Self.level(sum)
      }
    }
    return DeepGreyImage(width: newWidth, height: newHeight, levels: made)
  }

  /// Beyond its range a level's bytes go their own ways: 65,540 becomes FF 04.
  private static func level(_ sum: Double) -> UInt16 {
    let whole = Int(sum.rounded(.toNearestOrAwayFromZero))
    let (low, high) = (min(max(whole % 256, 0), 255), min(max(whole >> 8, 0), 255))
    return UInt16(high << 8 | low)
  }
}
