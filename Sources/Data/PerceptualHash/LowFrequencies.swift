import Glibc
import ImageCodec

/// The lowest frequencies of a picture's brightness.
enum LowFrequencies {
  /// A bit for each of the `side` × `side` lowest coefficients: whether it is above their median.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - original: The sides of the whole picture where `image` was decoded smaller.
  ///   - side: A multiple of 8; the picture is taken at four times as many pixels a side.
  /// - Returns: `side * side / 64` words, the highest bit of the first one for frequency zero.
  static func signature(
    of image: RGBImage, original: (width: Int, height: Int)?, side: Int
  ) -> [UInt64] {
    let pixels = side * 4
    let levels = image.greyResized(
      width: pixels, height: pixels, filter: .lanczos, of: original)
    let values = coefficients(of: levels, pixels: pixels, side: side)
      .map { ($0 * 1e6).rounded(.toNearestOrEven) }
    let sorted = values.sorted()
    let median = (sorted[values.count / 2 - 1] + sorted[values.count / 2]) / 2
    var words = [UInt64](repeating: 0, count: values.count / 64)
    for (index, value) in values.enumerated() where value > median {
      words[index / 64] |= 1 << UInt64(63 - index % 64)
    }
    return words
  }

  /// The DCT-II along both axes, unnormalised as SciPy's: Σ 2 x[n] cos(π k (2n + 1) / 2N).
  ///
  /// - Returns: `side` rows of `side` coefficients, of which only these are computed.
  private static func coefficients(of levels: [UInt8], pixels: Int, side: Int) -> [Double] {
    let waves = pixels == 32 ? waves32 : makeWaves(pixels: pixels, side: side)
    // Along each row, then down the columns of what that gives.
    let groups = side / 8
    var across = [SIMD8<Double>](repeating: .zero, count: pixels * groups)
    for row in 0..<pixels {
      for group in 0..<groups {
        var sum = SIMD8<Double>.zero
        for column in 0..<pixels {
          sum += waves[column * groups + group] * Double(levels[row * pixels + column])
        }
        across[row * groups + group] = sum
      }
    }
    var result = [Double](repeating: 0, count: side * side)
    for frequency in 0..<side {
      for group in 0..<groups {
        var sum = SIMD8<Double>.zero
        for row in 0..<pixels {
          sum +=
            across[row * groups + group] * waves[row * groups + frequency / 8][frequency % 8]
        }
        for lane in 0..<8 { result[frequency * side + group * 8 + lane] = sum[lane] }
      }
    }
    return result
  }

  private static let waves32 = makeWaves(pixels: 32, side: 8)

  /// Of each pixel, the cosines of all frequencies in groups of eight.
  private static func makeWaves(pixels: Int, side: Int) -> [SIMD8<Double>] {
    var waves: [SIMD8<Double>] = []
    for pixel in 0..<pixels {
      for group in 0..<side / 8 {
        var wave = SIMD8<Double>.zero
        for lane in 0..<8 {
          let frequency = Double(group * 8 + lane)
          wave[lane] = 2 * cos(Double.pi * frequency * Double(2 * pixel + 1) / Double(2 * pixels))
        }
        waves.append(wave)
      }
    }
    return waves
  }
}
