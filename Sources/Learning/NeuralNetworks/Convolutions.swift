public import Autograd
public import SeededRandom
import TensorEngine

/// A two-dimensional convolution of pictures, channels last, with torch's names and initialisation.
public final class Conv2d: Module {
  /// Shape `[out, in / groups, side, side]`.
  public let weight: Variable
  /// Shape `[out]`.
  public let bias: Variable?
  public let stride: Int
  public let padding: Int
  public let groups: Int

  public init(
    _ inputs: Int, _ outputs: Int, side: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    bias: Bool = true, random: inout RandomStream
  ) {
    let seen = inputs / groups
    weight = .parameter(.kaimingUniform([outputs, seen, side, side], random: &random))
    self.bias =
      bias
      ? .parameter(
        .uniform([outputs], bound: 1 / Double(seen * side * side).squareRoot(), random: &random))
      : nil
    (self.stride, self.padding, self.groups) = (stride, padding, groups)
  }

  /// `[B, H', W', out]` from `[B, H, W, in]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    conv2d(x, weight, bias, stride: stride, padding: padding, groups: groups)
  }

  /// The convolution, batch normalisation, an addition and a ReLU, in one pass where no gradient is
  /// asked for and the normalisation uses what it has learned.
  ///
  /// The pass scales the results while they are in the cache; weights are not folded, so the sums are
  /// those of the separate operations.
  ///
  /// - Parameters:
  ///   - x: `[B, H, W, in]`.
  ///   - norm: Of `out` channels.
  ///   - residual: Added before the ReLU, of the shape of the result.
  ///   - relu: Whether a ReLU ends it.
  /// - Returns: `[B, H', W', out]`.
  public func callAsFunction(
    _ x: Variable, _ norm: BatchNorm2d, residual: Variable? = nil, relu: Bool
  ) -> Variable {
    let operands = [x, weight, norm.weight, norm.bias] + [bias, residual].compactMap { $0 }
    if BatchStatistics.isUsed || bias != nil || recordsGraph(operands) {
      var y = norm(self(x))
      if let residual { y = y + residual }
      return relu ? y.relu() : y
    }
    let (scale, shift) = norm.affine
    return Variable(
      x.value.convolved(
        weight.value, stride: stride, padding: padding, groups: groups,
        epilogue: ConvolutionEpilogue(
          scale: scale, shift: shift, residual: residual?.value, relu: relu)))
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    if let bias { visit(prefix + "bias", bias) }
  }
}

/// Batch normalisation of pictures, channels last.
///
/// It uses the running mean and variance; inside ``withBatchStatistics(_:)`` those of the batch, towards
/// which the running ones then move by ``momentum`` (torch's `train()`).
public final class BatchNorm2d: Module {
  public let weight: Variable
  public let bias: Variable
  /// Buffers, shape `[C]`.
  public let runningMean: Variable
  /// Unbiased, as torch keeps it.
  public let runningVariance: Variable
  public let epsilon: Float
  public let momentum: Float

  public init(_ channels: Int, epsilon: Float = 1e-5, momentum: Float = 0.1) {
    weight = .parameter(Tensor(shape: [channels], repeating: 1))
    bias = .parameter(Tensor(shape: [channels]))
    runningMean = Variable(Tensor(shape: [channels]))
    runningVariance = Variable(Tensor(shape: [channels], repeating: 1))
    (self.epsilon, self.momentum) = (epsilon, momentum)
  }

  /// The shape of x, `[B, H, W, C]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    guard BatchStatistics.isUsed else {
      return batchNorm(
        x, weight, bias, mean: runningMean.value, variance: runningVariance.value,
        epsilon: epsilon)
    }
    let (value, mean, variance) = batchNorm(x, weight, bias, epsilon: epsilon)
    let count = x.value.count / max(1, mean.count)
    precondition(count > 1, "BatchNorm2d: a variance of \(count) value of \(x.shape)")
    if BatchStatistics.isMoving {
      move(runningMean, to: mean)
      move(runningVariance, to: variance.scaled(by: Float(count) / Float(count - 1)))
    }
    return value
  }

  /// The normalisation by the running values as scale·x + shift.
  var affine: (scale: Tensor, shift: Tensor) {
    let deviation = runningVariance.value.shifted(by: epsilon).squareRoot()
    let scale = Tensor.combine(weight.value, deviation, .divide)
    let offset = Tensor.combine(runningMean.value, scale, .multiply)
    return (scale, .combine(bias.value, offset, .subtract))
  }

  private func move(_ buffer: Variable, to value: Tensor) {
    var moved = buffer.value.scaled(by: 1 - momentum)
    moved.add(value, scaledBy: momentum)
    buffer.value = moved
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    visit(prefix + "bias", bias)
  }

  public func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "running_mean", runningMean)
    visit(prefix + "running_var", runningVariance)
  }
}

/// Whether batch normalisation goes by the batch.
enum BatchStatistics {
  @TaskLocal static var isUsed = false
  @TaskLocal static var isMoving = true
}

/// Runs `body` with batch normalisation by the batch's own statistics, as a training step wants it.
///
/// - Parameters:
///   - moving: Whether the running statistics move towards them: once a step.
///   - body: What is run.
/// - Returns: What `body` gives.
public func withBatchStatistics<R>(moving: Bool = true, _ body: () throws -> R) rethrows -> R {
  try BatchStatistics.$isUsed.withValue(true) {
    try BatchStatistics.$isMoving.withValue(moving) { try body() }
  }
}
