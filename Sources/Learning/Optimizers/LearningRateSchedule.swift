import Glibc

/// How the learning rate goes over a run, as open_clip's `scheduler.py` has it.
///
/// All begin with a linear warm-up, whose step s (from 0) of w has base · (s + 1) / w.
public struct LearningRateSchedule: Sendable, Equatable {
  /// What follows the warm-up.
  public enum Shape: Sendable, Equatable {
    /// Half a cosine from the base rate to 0 at the end.
    case cosine
    /// The base rate.
    case constant
    /// The base rate, then over the last `steps` down to `end` by (1 − share done)^`power`.
    case constantWithCooldown(steps: Int, power: Double, end: Double)
  }

  public var shape: Shape
  public var base: Double
  /// Steps of warm-up; the last of them has the base rate.
  public var warmup: Int
  /// All steps, the warm-up among them.
  public var total: Int

  public init(_ shape: Shape = .cosine, base: Double, warmup: Int, total: Int) {
    self.shape = shape
    self.base = base
    self.warmup = warmup
    self.total = total
  }

  /// The rate of a step, counted from 0.
  public func learningRate(step: Int) -> Float {
    if step < warmup { return Float(base * Double(step + 1) / Double(warmup)) }
    switch shape {
    case .cosine:
      let (done, length) = (Double(step - warmup), Double(max(1, total - warmup)))
      return Float(0.5 * (1 + cos(Double.pi * done / length)) * base)
    case .constant: return Float(base)
    case .constantWithCooldown(let steps, let power, let end):
      let start = total - steps
      guard step >= start else { return Float(base) }
      let left = 1 - Double(step - start) / Double(max(1, steps))
      return Float(pow(left, power) * (base - end) + end)
    }
  }
}
