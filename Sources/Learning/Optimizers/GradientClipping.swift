public import Autograd
import TensorEngine

/// Scales all gradients by one factor so that their common norm is at most `maxNorm`.
///
/// The factor is maxNorm / (norm + 1e-6), torch's `clip_grad_norm_`, and never above 1. Gradients
/// whose norm is infinite or NaN become NaN or 0 as in torch: look at the result.
///
/// - Returns: The norm before clipping.
@discardableResult
public func clipGradientNorm(
  _ parameters: [(name: String, variable: Variable)], maxNorm: Float
) -> Float {
  let norm = gradientNorm(parameters)
  let factor = clippingFactor(norm: norm, maxNorm: maxNorm)
  guard factor != 1 else { return norm }
  for (_, variable) in parameters where variable.gradient != nil {
    variable.updateGradient { $0.scale(by: factor) }
  }
  return norm
}

/// What gradients of this norm are multiplied by so that their norm is at most `maxNorm`.
///
/// - Returns: maxNorm / (norm + 1e-6), never above 1; 0 or NaN of a norm that is infinite or NaN.
public func clippingFactor(norm: Float, maxNorm: Float) -> Float {
  let factor = maxNorm / (norm + 1e-6)
  return factor >= 1 ? 1 : factor
}

/// The Euclidean norm of all gradients together; a parameter without one counts nothing.
public func gradientNorm(_ parameters: [(name: String, variable: Variable)]) -> Float {
  Float(
    parameters.reduce(0.0) { $0 + ($1.variable.gradient?.squaredNorm() ?? 0) }.squareRoot())
}
