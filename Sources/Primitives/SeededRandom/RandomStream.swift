import Glibc

/// A stream of random numbers addressed by a seed and a path of integers.
///
/// The same seed and path give the same numbers on every machine and for any number of workers, so
/// a draw can be repeated without replaying what came before it: address it by what it is for, as in
/// `RandomStream(seed: seed, path: epoch, sample)`. The generator is SplitMix64 (Steele, Lea, Flood:
/// Fast Splittable Pseudorandom Number Generators, OOPSLA 2014); the path is mixed into its state.
/// Not for secrets.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: UInt64
  private var spareNormal: Double?

  public init(seed: UInt64, path: UInt64...) {
    state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
    for step in path { state = Self.mix(state ^ Self.mix(step &+ 0x9E37_79B9_7F4A_7C15)) }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number in 0 ..< 1 with 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in `range`, its upper end excluded.
  public mutating func uniform(in range: Range<Double>) -> Double {
    range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
  }

  /// An integer in 0 ..< `bound`, without bias.
  public mutating func integer(below bound: Int) -> Int {
    Int(next(upperBound: UInt64(bound)))
  }

  /// A draw from the standard normal distribution (Box and Muller 1958).
  public mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let radius = (-2 * log(1 - uniform())).squareRoot()
    let angle = 2 * Double.pi * uniform()
    spareNormal = radius * sin(angle)
    return radius * cos(angle)
  }

  /// The numbers 0 ..< `count` in random order (Fisher and Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(index, integer(below: index + 1))
    }
    return order
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
