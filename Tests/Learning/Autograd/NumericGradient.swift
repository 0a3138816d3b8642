import Autograd
import SeededRandom
import TensorEngine
import Testing

/// Draws from N(0, 1)·scale + offset.
func randomTensor(_ shape: [Int], seed: UInt64, scale: Double = 1, offset: Double = 0) -> Tensor {
  var random = RandomStream(seed: seed)
  return Tensor(
    shape: shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal() * scale + offset) })
}

/// ‖a - b‖ / (‖b‖ + 1e-6).
func relativeDistance(_ a: [Double], _ b: [Double]) -> Double {
  let difference = zip(a, b).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return difference.squareRoot() / (b.reduce(0.0) { $0 + $1 * $1 }.squareRoot() + 1e-6)
}

/// Compares the backward rule of `operation` with differences of its values, for every input.
///
/// The four-point stencil (8·Δ(h) - Δ(2h)) / 12h with h = 1/32 errs by h⁴/30·f⁽⁵⁾ ≈ 3e-8 relative to values of
/// order 1, and by Float's rounding of the values, 6e-8/h ≈ 2e-6 an element, some 1e-5 when the gradient is
/// small beside the values. 3e-4 leaves room for functions that bend more; a wrong factor or sign in a
/// rule shows as 1e-2 and more.
func expectGradients(
  of inputs: [Tensor], tolerance: Double = 3e-4, sourceLocation: SourceLocation = #_sourceLocation,
  _ operation: ([Variable]) -> Variable
) {
  let variables = inputs.map { Variable($0, requiresGradient: true) }
  let result = operation(variables)
  let seed = randomTensor(result.shape, seed: 99)
  Variable.backward(from: [(result, seed)])
  func value(_ inputs: [Tensor]) -> Double {
    withoutGradient {
      let y = operation(inputs.map { Variable($0) }).value
      return zip(y.values, seed.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
  }
  let step: Float = 1.0 / 32
  for (place, input) in inputs.enumerated() {
    var numeric: [Double] = []
    for index in 0..<input.count {
      func difference(_ h: Float) -> Double {
        var (ahead, behind) = (inputs, inputs)
        ahead[place].withMutableSpan { $0[index] += h }
        behind[place].withMutableSpan { $0[index] -= h }
        return value(ahead) - value(behind)
      }
      numeric.append((8 * difference(step) - difference(2 * step)) / (12 * Double(step)))
    }
    guard let gradient = variables[place].gradient else {
      Issue.record("input \(place) got no gradient", sourceLocation: sourceLocation)
      continue
    }
    #expect(gradient.shape == input.shape, sourceLocation: sourceLocation)
    let distance = relativeDistance(gradient.values.map(Double.init), numeric)
    #expect(distance < tolerance, "input \(place)", sourceLocation: sourceLocation)
  }
}
