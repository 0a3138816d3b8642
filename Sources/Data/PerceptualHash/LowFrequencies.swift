import Glibc
import ImageCodec

/// The lowest frequencies of a picture's brightness, and the small grey picture that they are of.
struct LowFrequencies {
  /// The side of ``levels``.
  static let pixels = 32
  /// The side of ``coefficients``.
  static let side = 8

  /// 32 × 32 levels of brightness, by Lanczos.
  let levels: [UInt8]
  /// The lowest 8 × 8 coefficients in millionths, row by row from the lowest vertical frequency.
  ///
  /// Rounded, so that those of even pictures, which are zero but for the last digits of floating
  /// point, compare as equal.
  let coefficients: [Double]
  /// The median of all coefficients.
  let median: Double

  /// - Parameters:
  ///   - image: The picture.
  ///   - original: The sides of the whole picture where `image` was decoded smaller.
  init(of image: RGBImage, original: (width: Int, height: Int)?) {
    levels = image.greyResized(
      width: Self.pixels, height: Self.pixels, filter: .lanczos, of: original)
    coefficients = Self.transform(levels).map { ($0 * 1e6).rounded(.toNearestOrEven) }
    median = Self.median(of: coefficients)
  }

  /// A bit for each coefficient: whether it is above their median; the highest for frequency zero.
  var bits: UInt64 { coefficients.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) } }

  /// How far the coefficients lie from their median, the median of that.
  ///
  /// White noise of one grey level has coefficients of 64.
  var spread: Double { Self.median(of: coefficients.map { abs($0 - median) }) / 1e6 }

  private static func median(of values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[values.count / 2 - 1] + sorted[values.count / 2]) / 2
  }

  /// The DCT-II along both axes, unnormalised as SciPy's: Σ 2 x[n] cos(π k (2n + 1) / 2N).
  ///
  /// - Returns: `side` rows of `side` coefficients, of which only these are computed.
  private static func transform(_ levels: [UInt8]) -> [Double] {
    // Along each row, then down the columns of what that gives.
    var across: [SIMD8<Double>] = []
    for row in 0..<pixels {
      var sum = SIMD8<Double>.zero
      for column in 0..<pixels {
        sum += waves[column] * Double(levels[row * pixels + column])
      }
      across.append(sum)
    }
    var result: [Double] = []
    for frequency in 0..<side {
      var sum = SIMD8<Double>.zero
      for row in 0..<pixels { sum += across[row] * waves[row][frequency] }
      for lane in 0..<side { result.append(sum[lane]) }
    }
    return result
  }

  /// Of each pixel, the cosines of all frequencies.
  private static let waves: [SIMD8<Double>] = (0..<pixels).map { pixel in
    var wave = SIMD8<Double>.zero
    for lane in 0..<side {
      wave[lane] = 2 * cos(Double.pi * Double(lane) * Double(2 * pixel + 1) / Double(2 * pixels))
    }
    return wave
  }
}
