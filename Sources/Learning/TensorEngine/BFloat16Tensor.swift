/// The numbers of a tensor rounded to bfloat16: the upper half of each Float.
///
/// For keeping, not for computing: nothing but ``widened()`` reads it.
public struct BFloat16Tensor: Sendable {
  public let shape: [Int]
  private let count: Int
  /// Two numbers in each float's place, the even one in the low half.
  private let pairs: FloatStorage

  /// Rounds to nearest, ties to even, as torch does; infinities and NaN stay.
  public init(_ tensor: Tensor) {
    shape = tensor.shape
    count = tensor.count
    pairs = FloatStorage(uninitialized: (tensor.count + 15) / 16 * 8)
    let (x, y, count) = (tensor.floats, pairs.floats, tensor.count)
    TensorThreads.split((count + 15) / 16, grain: elementwiseGrain / 16) { range in
      for group in range {
        let (first, place) = (group * 16, group * 8)
        if first + 16 <= count {
          y[lanes: place] = Self.packed(x[lanes: first], x[lanes: first + 8])
        } else {
          let (low, high) = (min(8, count - first), max(0, count - first - 8))
          y[lanes: place] = Self.packed(
            x.partial(first, width: low), x.partial(first + 8, width: high))
        }
      }
    }
  }

  /// The numbers as Floats.
  public func widened() -> Tensor {
    var result = Tensor(uninitialized: shape)
    let (x, y, count) = (pairs.floats, result.mutableFloats, count)
    TensorThreads.split((count + 15) / 16, grain: elementwiseGrain / 16) { range in
      for group in range {
        let first = group * 16
        let (low, high) = Self.unpacked(x[lanes: group * 8])
        if first + 16 <= count {
          y[lanes: first] = low
          y[lanes: first + 8] = high
        } else {
          y.setPartial(first, width: min(8, count - first), low)
          y.setPartial(first + 8, width: max(0, count - first - 8), high)
        }
      }
    }
    return result
  }

  /// `a` in the low halves, `b` in the high ones.
  @inline(__always) private static func packed(
    _ a: SIMD8<Float>, _ b: SIMD8<Float>
  ) -> SIMD8<Float> {
    // Safe: 32 bytes each, without padding or invalid patterns.
    unsafe unsafeBitCast(
      (rounded(a) &>> 16) | (rounded(b) & 0xFFFF_0000), to: SIMD8<Float>.self)
  }

  @inline(__always) private static func rounded(_ x: SIMD8<Float>) -> SIMD8<UInt32> {
    let bits = unsafe unsafeBitCast(x, to: SIMD8<UInt32>.self)
    // Half of the last place, less one where the kept part is even.
    let up = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    // The carry would make an infinity of a NaN with a small payload.
    return up.replacing(with: bits | 0x0040_0000, where: x .!= x)
  }

  @inline(__always) private static func unpacked(
    _ pairs: SIMD8<Float>
  ) -> (SIMD8<Float>, SIMD8<Float>) {
    let bits = unsafe unsafeBitCast(pairs, to: SIMD8<UInt32>.self)
    return unsafe (
      unsafeBitCast(bits &<< 16, to: SIMD8<Float>.self),
      unsafeBitCast(bits & 0xFFFF_0000, to: SIMD8<Float>.self)
    )
  }
}
