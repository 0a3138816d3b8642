import Glibc

/// A part of a picture, its edges as shares of the picture's sides.
public struct BlurBox: Sendable, Equatable, Codable {
  public var left: Double
  public var top: Double
  public var right: Double
  public var bottom: Double

  /// - Parameters: 0 … 1 from the left and the top; what lies outside is cut off.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
  }
}

extension RGBImage {
  /// The picture with its `boxes` blurred beyond recognition, such as those of faces.
  ///
  /// Each box is grown on every side by a tenth of its longer side. The blur's radius r is a tenth
  /// of the longest side of any box, rounded up, its σ is 0.3 · (r - 1) + 0.8 (OpenCV's tables up to r = 4); the blurred picture
  /// is blended in by the boxes' equally blurred mask, so that no edge shows. Results are cut to
  /// whole levels, not rounded, as img2dataset does: pixels that the mask does not reach stay as
  /// they are.
  /// Source: img2dataset/blurrer.py (after princetonvisualai/imagenet-face-obfuscation) over
  /// albumentations' GaussianBlur, which is OpenCV's with reflected borders.
  ///
  /// Costs by the area that spans all boxes, with twice the radius around it.
  ///
  /// - Parameter boxes: What is blurred; boxes of no pixels count for nothing.
  /// - Returns: A picture of the same size; this one where there are no boxes.
  public func blurred(boxes: [BlurBox]) -> RGBImage {
    let all = boxes.map { pixels(of: $0) }
    let longest = all.reduce(0) { max($0, $1.side) }
    let areas = all.filter { !$0.columns.isEmpty && !$0.rows.isEmpty }
    guard let first = areas.first else { return self }
    let kernel = GaussianKernel(radius: max(1, Int(ceil(0.1 * Double(longest)))))
    // What the mask reaches, and what the blur of that sees.
    func reach(_ ranges: [Range<Int>], _ first: Range<Int>, _ length: Int) -> Range<Int> {
      let low = ranges.reduce(first.lowerBound) { min($0, $1.lowerBound) } - 2 * kernel.radius
      let high = ranges.reduce(first.upperBound) { max($0, $1.upperBound) } + 2 * kernel.radius
      return max(0, low)..<min(length, high)
    }
    let columns = reach(areas.map(\.columns), first.columns, width)
    let rows = reach(areas.map(\.rows), first.rows, height)
    var mask = [Float](repeating: 0, count: columns.count * rows.count)
    for area in areas {
      for row in area.rows {
        let start = (row - rows.lowerBound) * columns.count - columns.lowerBound
        for column in area.columns { mask[start + column] = 1 }
      }
    }
    mask = kernel.blurred(mask, width: columns.count, height: rows.count)
    var result = pixels
    var plane = [Float](repeating: 0, count: mask.count)
    for channel in 0..<3 {
      for (place, row) in rows.enumerated() {
        let start = (row * width + columns.lowerBound) * 3 + channel
        for column in 0..<columns.count {
          plane[place * columns.count + column] = Float(pixels[start + column * 3]) / 255
        }
      }
      let blurred = kernel.blurred(plane, width: columns.count, height: rows.count)
      for (place, row) in rows.enumerated() {
        let start = (row * width + columns.lowerBound) * 3 + channel
        for column in 0..<columns.count {
          let index = place * columns.count + column
          guard mask[index] > 0 else { continue }
          let mixed = plane[index] * (1 - mask[index]) + blurred[index] * mask[index]
          result[start + column * 3] = UInt8(max(0, min(255, mixed * 255)))
        }
      }
    }
    return RGBImage(width: width, height: height, pixels: result)
  }

  /// The pixels of a grown box, and the longer side before it grew.
  private func pixels(of box: BlurBox) -> (columns: Range<Int>, rows: Range<Int>, side: Int) {
    func edge(_ share: Double, _ length: Int) -> Int {
      // Beyond this, nothing changes any more, and a broken number stays a number.
      Int(max(-4, min(4, share.isNaN ? 0 : share)) * Double(length))
    }
    let (left, right) = (edge(box.left, width), edge(box.right, width))
    let (top, bottom) = (edge(box.top, height), edge(box.bottom, height))
    let side = max(right - left, bottom - top)
    let growth = 0.1 * Double(side)
    func range(_ from: Int, _ to: Int, _ length: Int) -> Range<Int> {
      let first = max(0, min(length - 1, Int(Double(from) - growth)))
      let last = max(0, min(length - 1, Int(Double(to) + growth)))
      return first..<max(first, last)
    }
    return (range(left, right, width), range(top, bottom, height), side)
  }
}

/// A Gaussian of `2 · radius + 1` weights that sum to 1, applied along both axes.
private struct GaussianKernel {
  let radius: Int
  let weights: [Float]

  /// OpenCV's tables for small kernels, in 256ths.
  private static let small: [Int: [Float]] = [
    1: [64, 128, 64], 2: [16, 64, 96, 64, 16], 3: [8, 28, 56, 72, 56, 28, 8],
    4: [4, 13, 30, 51, 60, 51, 30, 13, 4],
  ]

  init(radius: Int) {
    self.radius = radius
    if let small = Self.small[radius] {
      weights = small.map { $0 / 256 }
      return
    }
    let sigma = 0.3 * Double(radius - 1) + 0.8  // OpenCV's getGaussianKernel for a σ of 0
    let values = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = values.reduce(0, +)
    weights = values.map { Float($0 / sum) }
  }

  /// Blurs `height` rows of `width` values; beyond the edges the picture is mirrored at its
  /// outermost pixel (OpenCV's BORDER_REFLECT_101).
  func blurred(_ plane: [Float], width: Int, height: Int) -> [Float] {
    var across = [Float](repeating: 0, count: plane.count)
    var row = [Float](repeating: 0, count: width + 2 * radius)
    for y in 0..<height {
      for x in row.indices { row[x] = plane[y * width + Self.mirrored(x - radius, width)] }
      for tap in weights.indices {
        let weight = weights[tap]
        for x in 0..<width { across[y * width + x] += weight * row[x + tap] }
      }
    }
    var result = [Float](repeating: 0, count: plane.count)
    for y in 0..<height {
      for tap in weights.indices {
        let weight = weights[tap]
        let source = Self.mirrored(y + tap - radius, height) * width
        for x in 0..<width { result[y * width + x] += weight * across[source + x] }
      }
    }
    return result
  }

  private static func mirrored(_ position: Int, _ length: Int) -> Int {
    if length == 1 { return 0 }
    let period = 2 * (length - 1)
    let place = ((position % period) + period) % period
    return min(place, period - place)
  }
}
