/// The weights of four neighbouring pixels as the lanes of the horizontal pass meet them.
///
/// Lane pairs of the lower half are red, green, blue and nothing of the first two pixels, of the
/// upper half those of the other two. A weight has up to 24 bits: it is split into its low twelve
/// and the rest.
struct HorizontalWeights: Sendable {
  /// The pixels that one step takes of a row: 12 bytes, of a load of 16.
  static let step = 4
  static let lowBits = Int32(12)

  let high: SIMD16<Int16>
  let low: SIMD16<Int16>

  private init(_ taps: SIMD4<Int32>) {
    high = Self.lanes(SIMD4(truncatingIfNeeded: taps &>> Self.lowBits))
    low = Self.lanes(SIMD4(truncatingIfNeeded: taps & (1 << Self.lowBits - 1)))
  }

  private static func lanes(_ taps: SIMD4<Int16>) -> SIMD16<Int16> {
    func half(_ pair: SIMD2<Int16>) -> SIMD8<Int16> {
      SIMD8(
        lowHalf: SIMD4(lowHalf: pair, highHalf: pair),
        highHalf: SIMD4(lowHalf: pair, highHalf: .zero))
    }
    return SIMD16(lowHalf: half(taps.lowHalf), highHalf: half(taps.highHalf))
  }

  /// `(capacity + 3) / 4` steps for each window, those beyond a window's end zero.
  static func spread(_ weights: ResampleWeights) -> [HorizontalWeights] {
    let stepsPerWindow = (weights.capacity + step - 1) / step
    var result: [HorizontalWeights] = []
    result.reserveCapacity(weights.windows.count * stepsPerWindow)
    for index in weights.windows.indices {
      let base = index * weights.capacity
      for first in stride(from: 0, to: weights.capacity, by: step) {
        var taps = SIMD4<Int32>.zero
        for tap in 0..<min(step, weights.capacity - first) {
          taps[tap] = weights.values[base + first + tap]
        }
        result.append(HorizontalWeights(taps))
      }
    }
    return result
  }
}
