import Glibc

/// One window of Lanczos weights without a sine for each.
///
/// With θ = πx / 3 the weight is sin 3θ · sin θ / 3θ², sin 3θ = 3 sin θ - 4 sin³ θ, and sin θ follows
/// from its neighbour by turning through the angle of a step. Where that might round to another
/// integer than the formula itself does, nothing is made.
///
/// The bound: a turn adds at most 4e-16, so sin θ is off by 4e-16 n after n of them, and a weight at
/// |x| ≥ 0.05 by less than 80 times as much; nearer to zero the formula is used. A window has at most
/// 6 · scale + 1 weights, which sum to about the scale: in units of 2^-22 of their sum they are off
/// by less than 2^22 · 80 · 7 · 4e-16 ≈ 1e-6, a tenth of `margin`.
struct LanczosWindow {
  /// The position of the first weight, in units of the stretched filter.
  var first: Double
  /// From one weight to the next.
  var step: Double

  private static let margin = 1e-5

  /// - Parameters:
  ///   - values: Gets `count` weights from `base` on in fixed point.
  ///   - base: Where.
  ///   - count: How many.
  ///   - scratch: Room for as many.
  /// - Returns: Whether all weights are certain.
  func fill(
    _ values: inout [Int32], at base: Int, count: Int, _ scratch: inout [Double]
  ) -> Bool {
    let third = Double.pi / 3
    let (turnSine, turnCosine) = (sin(third * step), cos(third * step))
    var (sine, cosine) = (sin(third * first), cos(third * first))
    var sum = 0.0
    for offset in 0..<count {
      let x = first + Double(offset) * step
      var weight = 0.0
      if abs(x) < 0.05 {
        weight = ResampleFilter.lanczos.weight(x)
      } else if abs(x) < 3 {
        let angle = third * x
        weight = sine * sine * (3 - 4 * sine * sine) / (3 * angle * angle)
      }
      scratch[offset] = weight
      sum += weight
      (sine, cosine) = (
        sine * turnCosine + cosine * turnSine, cosine * turnCosine - sine * turnSine
      )
    }
    guard sum > 0 else { return false }
    let unit = Double(1 << ResampleWeights.precision) / sum
    for offset in 0..<count {
      let scaled = scratch[offset] * unit
      let magnitude = abs(scaled) + 0.5
      let whole = Int32(magnitude)
      let rest = magnitude - Double(whole)
      if rest < Self.margin || rest > 1 - Self.margin { return false }
      values[base + offset] = scaled < 0 ? -whole : whole
    }
    return true
  }
}
