import Autograd
import Foundation
import TensorEngine
import Testing

/// Every operation against central differences in Double and against torch, see
/// Tests/Support/Peers/autograd_fixtures.py.
struct OperationTests {
  struct Fixture: Decodable, Sendable {
    struct Input: Decodable, Sendable {
      var shape: [Int]
      var values: [Float]
    }
    var name: String
    var inputs: [Input]
    var seed: [Double]
    var shape: [Int]
    var output: [Double]
    var gradients: [[Double]]
  }

  private struct File: Decodable {
    var cases: [Fixture]
  }

  private static func fixtures() throws -> [Fixture] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/operations.json"))
    return try JSONDecoder().decode(File.self, from: data).cases
  }

  /// Distance of vectors over the length of the second, or over 1e-3 where that is next to nothing.
  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let gap = zip(a, b).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    return gap / max(1e-3, b.reduce(0.0) { $0 + $1 * $1 }.squareRoot())
  }

  private func run(
    _ operation: Operation, _ fixture: Fixture
  ) -> (output: Tensor, gradients: [[Double]]) {
    let variables = fixture.inputs.map {
      Variable(Tensor(shape: $0.shape, $0.values), requiresGradient: true)
    }
    let result = operation.run(variables)
    let seed = Tensor(shape: fixture.shape, fixture.seed.map { Float($0) })
    Variable.backward(from: [(result, seed)])
    return (
      result.value, variables.map { ($0.gradient?.values ?? []).map(Double.init) }
    )
  }

  @Test("the table and torch's fixtures name the same operations")
  func complete() throws {
    let names = try Self.fixtures().map(\.name)
    #expect(Set(names) == Set(Operation.all.map(\.name)))
  }

  @Test("values and gradients equal torch's in float64", arguments: Operation.all.indices)
  func torch(index: Int) throws {
    let operation = Operation.all[index]
    for fixture in try Self.fixtures() where fixture.name == operation.name {
      let (output, gradients) = run(operation, fixture)
      #expect(output.shape == fixture.shape, "\(operation.name)")
      // 1e-5: some ten Float operations a value, the slowest to agree the batch norm, whose sums cancel.
      #expect(
        distance(output.values.map(Double.init), fixture.output) < 1e-5,
        "\(operation.name) of \(fixture.inputs.map(\.shape))")
      for (place, gradient) in gradients.enumerated() {
        #expect(
          distance(gradient, fixture.gradients[place]) < 1e-5,
          "\(operation.name) of \(fixture.inputs.map(\.shape)), input \(place)")
      }
    }
  }

  @Test(
    "gradients equal central differences of the plainest form", arguments: Operation.all.indices)
  func differences(index: Int) throws {
    let operation = Operation.all[index]
    for fixture in try Self.fixtures() where fixture.name == operation.name {
      let inputs = fixture.inputs.map { Box($0.shape, $0.values.map(Double.init)) }
      func value(_ inputs: [Box]) -> Double {
        zip(operation.reference(inputs).values, fixture.seed).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let gradients = run(operation, fixture).gradients
      // h³ = Double's 1e-16: what is cut off and what is rounded both stay below 1e-9. No input of a ReLU lies as
      // near to 0.
      let h = 5e-6
      for (place, input) in inputs.enumerated() {
        let numeric = input.values.indices.map { element in
          var (ahead, behind) = (inputs, inputs)
          ahead[place].values[element] += h
          behind[place].values[element] -= h
          return (value(ahead) - value(behind)) / (2 * h)
        }
        // 1e-5 as above.
        #expect(
          distance(gradients[place], numeric) < 1e-5,
          "\(operation.name) of \(fixture.inputs.map(\.shape)), input \(place)")
      }
    }
  }

  @Test(
    "kept as bfloat16, gradients err by less than a hundredth", arguments: Operation.all.indices)
  func rounded(index: Int) throws {
    let operation = Operation.all[index]
    for fixture in try Self.fixtures() where fixture.name == operation.name {
      func run() -> (output: Tensor, gradients: [[Double]]) {
        // Operands that are results themselves: leaves are never rounded.
        let leaves = fixture.inputs.map {
          Variable(Tensor(shape: $0.shape, $0.values), requiresGradient: true)
        }
        let result = operation.run(leaves.map { $0.shifted(by: 0) })
        let seed = Tensor(shape: fixture.shape, fixture.seed.map { Float($0) })
        Variable.backward(from: [(result, seed)])
        return (result.value, leaves.map { ($0.gradient?.values ?? []).map(Double.init) })
      }
      let exact = run()
      let rounded = withActivationStorage(.bfloat16) { run() }
      #expect(rounded.output.values == exact.output.values, "\(operation.name)")
      for (place, gradient) in rounded.gradients.enumerated() {
        // A kept value errs by 2⁻⁹ at most; a gradient is about linear in two or three of them, and is small
        // where they cancel: what a gradient of length 1 may err is added.
        let size = max(1, exact.gradients[place].reduce(0) { $0 + $1 * $1 }.squareRoot())
        let gap = distance(gradient, exact.gradients[place])
        #expect(
          gap * max(1e-3, exact.gradients[place].reduce(0) { $0 + $1 * $1 }.squareRoot()) / size
            < 1e-2, "\(operation.name) of \(fixture.inputs.map(\.shape)), input \(place)")
      }
    }
  }
}
