import Glibc

/// Linear warm-up, then half a cosine down to zero, as open_clip's `cosine_lr`.
public struct CosineSchedule: Codable, Sendable, Equatable {
  public var base: Double
  /// Steps of warm-up; the last of them has the base rate.
  public var warmup: Int
  /// All steps, the warm-up among them.
  public var total: Int

  public init(base: Double, warmup: Int, total: Int) {
    self.base = base
    self.warmup = warmup
    self.total = total
  }

  /// The rate of a step, counted from 0.
  public func learningRate(step: Int) -> Float {
    if step < warmup { return Float(base * Double(step + 1) / Double(warmup)) }
    let (done, length) = (Double(step - warmup), Double(max(1, total - warmup)))
    return Float(0.5 * (1 + cos(Double.pi * done / length)) * base)
  }
}
