import TensorEngine

/// A two-dimensional convolution (cross-correlation, as torch calls it) of pictures, channels last.
///
/// - Parameters:
///   - x: `[B, H, W, C]`.
///   - weight: `[O, C / groups, kernelHeight, kernelWidth]`, torch's layout.
///   - bias: `[O]` or nil.
///   - stride: Pixels from window to window, in both directions.
///   - padding: Pixels of 0 around the picture.
///   - groups: Parts of the channels that do not see each other.
/// - Returns: `[B, H', W', O]`, H' = (H + 2·padding − kernelHeight) / stride + 1.
public func conv2d(
  _ x: Variable, _ weight: Variable, _ bias: Variable? = nil, stride: Int = 1, padding: Int = 0,
  groups: Int = 1
) -> Variable {
  let filters = weight.value
  let y = x.value.convolved(
    filters, stride: stride, padding: padding, groups: groups,
    epilogue: ConvolutionEpilogue(shift: bias?.value))
  return Variable(result: y, of: [x, weight] + (bias.map { [$0] } ?? [])) {
    [
      x = x.target, weight = weight.target, bias = bias?.target,
      input = weight.requiresGradient ? x.kept() : nil
    ] dy in
    if let input {
      weight.accumulate(
        input.restored().convolutionWeightGradient(
          dy, weightShape: filters.shape, stride: stride, padding: padding, groups: groups))
    }
    bias?.updateGradient { $0.addRowSum(of: dy) }
    x.accumulate(
      .convolutionInputGradient(
        dy, weight: filters, shape: x.shape, stride: stride, padding: padding, groups: groups))
  }
}

/// The mean of each window of `size` × `size` pixels, channels last.
///
/// - Parameters:
///   - x: `[B, H, W, C]`.
///   - size: The window's side.
///   - stride: Pixels from window to window; `size` when nil. What is left over at the right and at the
///     bottom is not seen.
/// - Returns: `[B, H', W', C]`, H' = (H − size) / stride + 1.
public func averagePool2d(_ x: Variable, _ size: Int, stride: Int? = nil) -> Variable {
  let (shape, step) = (x.shape, stride ?? size)
  return Variable(result: x.value.averagePooled(size, stride: step), of: [x]) {
    [x = x.target] dy in
    x.accumulate(.averagePoolGradient(dy, shape: shape, size: size, stride: step))
  }
}
