import Glibc

/// How a pixel of the result is made from pixels of the source; Pillow's filters by Pillow's names.
///
/// All but `nearest` are stretched by the scale when shrinking, so that no pixel is passed over.
public enum ResampleFilter: String, Sendable, CaseIterable, Codable {
  case nearest, box, bilinear, bicubic, lanczos

  /// The half width at scale 1.
  var support: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The weight at distance `x` from the centre, in the order of operations of Pillow's Resample.c.
  func weight(_ x: Double) -> Double {
    switch self {
    case .nearest: return 1
    case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      let x = abs(x)
      return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5  // Keys 1981, the value of PIL; OpenCV has -0.75
      let x = abs(x)
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    case .lanczos: return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    if x == 0 { return 1 }
    let angle = x * Double.pi
    return sin(angle) / angle
  }
}

/// The fixed-point weights of one axis: which source pixels make each result pixel.
///
/// Source: Pillow, src/libImaging/Resample.c, `precompute_coeffs` and `normalize_coeffs_8bpc`.
struct ResampleWeights {
  /// A weight of 1 is `1 << precision`: 8 bits of pixel, 2 of overshoot, 22 of fraction.
  static let precision = 32 - 8 - 2

  /// Of each result pixel, the first source pixel and how many follow on.
  var windows: [Range<Int>]
  /// The most pixels of a window.
  var capacity: Int
  /// `capacity` weights for each result pixel; those beyond its window are zero.
  var values: [Int32]

  /// - Parameters:
  ///   - filter: Not `nearest`.
  ///   - sourceSize: The pixels of the axis.
  ///   - start: Where the box begins on it, in the single precision that Pillow uses.
  ///   - end: Where the box ends.
  ///   - size: The pixels of the result.
  ///   - kept: Those of them that are made.
  init(
    filter: ResampleFilter, sourceSize: Int, start: Float, end: Float, size: Int,
    kept: Range<Int>
  ) {
    let scale = Double(end - start) / Double(size)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let reciprocal = 1 / filterScale
    capacity = Int(ceil(support)) * 2 + 1
    windows = []
    windows.reserveCapacity(kept.count)
    values = [Int32](repeating: 0, count: kept.count * capacity)
    var weights = [Double](repeating: 0, count: capacity)
    for index in kept.indices {
      let centre = Double(start) + (Double(kept[index]) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5))
      let last = min(sourceSize, Int(centre + support + 0.5))
      let count = max(0, last - first)
      var sum = 0.0
      for offset in 0..<count {
        weights[offset] = filter.weight((Double(offset + first) - centre + 0.5) * reciprocal)
        sum += weights[offset]
      }
      for offset in 0..<count {
        let weight = sum != 0 ? weights[offset] / sum : weights[offset]
        let scaled = weight * Double(1 << Self.precision)
        values[(index - kept.lowerBound) * capacity + offset] = Int32(
          weight < 0 ? scaled - 0.5 : scaled + 0.5)
      }
      windows.append(first..<first + count)
    }
  }
}
