/// Polynomials for eight floats at a time; scalar libm costs some 6 ns a value, these below 1 ns.
///
/// The errors stated are the largest found against Double libm on dense grids; the tests repeat them.
enum Lanes {
  typealias F8 = SIMD8<Float>

  /// e^x with a relative error below 1.5e-7.
  ///
  /// Results below 2^-125 become 0, results above the largest Float infinity; NaN stays NaN.
  /// Method: Cephes expf, with the exponent set by adding to the bits.
  @inline(__always) static func exp(_ x: F8) -> F8 {
    var clamped = x.replacing(with: 88.8, where: x .> 88.8)
    clamped = clamped.replacing(with: -87.4, where: clamped .< -87.4)
    // Adding 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
    let shifted = F8(repeating: 12_582_912).addingProduct(clamped, F8(repeating: 1.442_695_04))
    let n = shifted - 12_582_912
    var r = clamped.addingProduct(n, F8(repeating: -0.693_359_375))
    r = r.addingProduct(n, F8(repeating: 2.121_944_4e-4))
    var p = F8(repeating: 1.987_569_15e-4)
    p = F8(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = F8(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = F8(repeating: 4.166_579_59e-2).addingProduct(p, r)
    p = F8(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = F8(repeating: 5.000_000_12e-1).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    // Half the power, doubled at the end: 2^128 has no bits of its own.
    let exponent = bits(shifted) &- SIMD8<Int32>(repeating: 0x4B40_0000 &- 126)
    return p * floats(exponent &<< 23) * 2
  }

  /// The hyperbolic tangent with a relative error below 2.5e-7 (Cephes tanhf).
  @inline(__always) static func tanh(_ x: F8) -> F8 {
    let square = x * x
    var p = F8(repeating: -5.704_988_73e-3)
    p = F8(repeating: 2.063_908_88e-2).addingProduct(p, square)
    p = F8(repeating: -5.373_971_24e-2).addingProduct(p, square)
    p = F8(repeating: 1.333_144_19e-1).addingProduct(p, square)
    p = F8(repeating: -3.333_328_2e-1).addingProduct(p, square)
    let small = x.addingProduct(p * square, x)
    // 1 - 2 / (e^2x + 1) keeps its sign and saturates for large |x| by itself.
    let large = 1 - 2 / (exp(x + x) + 1)
    return large.replacing(with: small, where: square .< 0.390_625)
  }

  /// The error function with an absolute error below 4e-7.
  ///
  /// Odd rational approximation on -4 ... 4, beyond which erf is ±1 in Float (coefficients:
  /// Eigen, MathFunctionsImpl.h `generic_fast_erf_float`).
  @inline(__always) static func erf(_ value: F8) -> F8 {
    var x = value.replacing(with: 4, where: value .> 4)
    x = x.replacing(with: -4, where: x .< -4)
    let square = x * x
    var p = F8(repeating: -2.726_142_258_013_06e-10)
    p = F8(repeating: 2.770_681_424_959_02e-08).addingProduct(p, square)
    p = F8(repeating: -2.101_024_020_825_08e-06).addingProduct(p, square)
    p = F8(repeating: -5.692_506_394_623_46e-05).addingProduct(p, square)
    p = F8(repeating: -7.349_906_303_268_55e-04).addingProduct(p, square)
    p = F8(repeating: -2.954_599_808_540_25e-03).addingProduct(p, square)
    p = F8(repeating: -1.609_603_326_241_5e-02).addingProduct(p, square)
    var q = F8(repeating: -1.456_607_184_649_96e-05)
    q = F8(repeating: -2.133_740_552_789_05e-04).addingProduct(q, square)
    q = F8(repeating: -1.682_826_974_382_03e-03).addingProduct(q, square)
    q = F8(repeating: -7.373_329_167_204_68e-03).addingProduct(q, square)
    q = F8(repeating: -1.426_473_905_141_89e-02).addingProduct(q, square)
    return x * p / q
  }

  /// 1 / (1 + e^-x).
  @inline(__always) static func sigmoid(_ x: F8) -> F8 { 1 / (1 + exp(0 - x)) }

  @inline(__always) private static func bits(_ value: F8) -> SIMD8<Int32> {
    // Safe: both are 32 bytes without padding or invalid patterns.
    unsafe unsafeBitCast(value, to: SIMD8<Int32>.self)
  }

  @inline(__always) private static func floats(_ bits: SIMD8<Int32>) -> F8 {
    unsafe unsafeBitCast(bits, to: F8.self)
  }
}

extension Tensor {
  /// Applies `body` to every element, eight at a time.
  @inline(__always) func mapLanes(
    grain: Int = elementwiseGrain, _ body: @Sendable (SIMD8<Float>) -> SIMD8<Float>
  ) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let (x, y) = (floats, result.mutableFloats)
    TensorThreads.split(count, grain: grain) { range in
      eachLane(of: range) { index in
        y[lanes: index] = body(x[lanes: index])
      } tail: { index, width in
        y.setPartial(index, width: width, body(x.partial(index, width: width, filler: 1)))
      }
    }
    return result
  }

  /// Applies `body` to every pair of elements of two tensors of one shape, eight at a time.
  @inline(__always) func zipLanes(
    _ other: Tensor, _ operation: StaticString, grain: Int = elementwiseGrain,
    _ body: @Sendable (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>
  ) -> Tensor {
    precondition(shape == other.shape, "\(operation): shapes \(shape) and \(other.shape)")
    var result = Tensor(uninitialized: shape)
    let (x, y, z) = (floats, other.floats, result.mutableFloats)
    TensorThreads.split(count, grain: grain) { range in
      eachLane(of: range) { index in
        z[lanes: index] = body(x[lanes: index], y[lanes: index])
      } tail: { index, width in
        z.setPartial(
          index, width: width,
          body(
            x.partial(index, width: width, filler: 1), y.partial(index, width: width, filler: 1)))
      }
    }
    return result
  }
}

/// Walks `range` in steps of eight; `tail` gets what is left.
@inline(__always) func eachLane(
  of range: Range<Int>, _ body: (Int) -> Void, tail: (_ index: Int, _ width: Int) -> Void
) {
  var index = range.lowerBound
  while index &+ 8 <= range.upperBound {
    body(index)
    index &+= 8
  }
  if index < range.upperBound { tail(index, range.upperBound - index) }
}
