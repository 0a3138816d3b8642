import Autograd
import TensorEngine
import Testing

struct GraphTests {
  private func leaf(_ values: [Float]) -> Variable {
    Variable(Tensor(shape: [values.count], values), requiresGradient: true)
  }

  @Test("gradients add up over backward passes until they are dropped")
  func accumulates() throws {
    let x = leaf([1, 2])
    (x * x).sum().backward()
    (x * x).sum().backward()
    #expect(try #require(x.gradient).values == [4, 8])
    x.gradient = nil
    x.sum().backward()
    #expect(try #require(x.gradient).values == [1, 1])
  }

  @Test("several roots run in one pass, each with its seed")
  func severalRoots() throws {
    let x = leaf([1, 2])
    let shared = x * x
    let (a, b) = (shared.scaled(by: 3), shared.sum())
    Variable.backward(from: [(a, Tensor(shape: [2], [1, 10])), (b, Tensor(5))])
    #expect(try #require(x.gradient).values == [2 * (3 + 5), 4 * (30 + 5)])
  }

  @Test("a root may be an operand of another root")
  func nestedRoots() throws {
    let x = leaf([3])
    let y = x.scaled(by: 2)
    let z = y * y
    Variable.backward(from: [(y, Tensor(shape: [1], [100])), (z, Tensor(shape: [1], [1]))])
    #expect(try #require(x.gradient).values == [2 * (100 + 2 * 6)])
  }

  @Test("a result of an operation keeps its gradient when asked")
  func latent() throws {
    let x = leaf([1, 2])
    let (kept, passing) = (x.scaled(by: 2), x.scaled(by: 3))
    kept.keepsGradient = true
    (kept * passing).sum().backward()
    #expect(try #require(kept.gradient).values == [3, 6])
    #expect(passing.gradient == nil)
  }

  @Test("an input alone gets its gradient, frozen weights get none")
  func frozen() throws {
    let x = leaf([1, 2])
    let weight = Variable(Tensor(shape: [3, 2], repeating: 2))
    linear(x, weight).sum().backward()
    #expect(try #require(x.gradient).values == [6, 6])
    #expect(weight.gradient == nil)
  }

  @Test("rules do no work for operands that need no gradient")
  func skipsFrozenWork() {
    let frozen = Variable(Tensor(shape: [2]))
    var calls = 0
    func gradient() -> Tensor {
      calls += 1
      return Tensor(shape: [2])
    }
    frozen.accumulate(gradient())
    frozen.updateGradient { $0 = gradient() }
    #expect(calls == 0)
    #expect(frozen.gradient == nil)
  }

  @Test("nothing is recorded inside withoutGradient, nor behind detached")
  func noGradient() throws {
    let x = leaf([1, 2])
    let y = withoutGradient { x * x }
    #expect(!y.requiresGradient)
    let z = x.detached() * x
    z.sum().backward()
    #expect(try #require(x.gradient).values == [1, 2])
  }

  @Test("what is computed again is recorded wherever the backward pass runs")
  func recomputesRecorded() throws {
    let x = leaf([1, 2])
    let y = recomputed(x, parameters: []) { $0 * $0 }.sum()
    withoutGradient { y.backward() }
    #expect(try #require(x.gradient).values == [2, 4])
  }

  @Test("backward frees the graph: a result that is still held holds no operands")
  func freesGraph() {
    let x = leaf([1, 2])
    weak var between: GradientTarget?
    weak var value: Variable?
    func build() -> Variable {
      let inner = x * x
      (between, value) = (inner.target, inner)
      return inner.sum()
    }
    let y = build()
    #expect(between != nil)
    // A sum needs no value of what it sums: the graph alone holds none.
    #expect(value == nil)
    y.backward()
    #expect(between == nil)
    #expect(y.requiresGradient)
  }

  @Test("a second pass through a graph that was freed stops the process, and loses no gradient")
  func runsOnce() async {
    await #expect(processExitsWith: .failure) {
      let x = Variable(Tensor(shape: [2], [1, 2]), requiresGradient: true)
      let shared = x * x
      let (a, b) = (shared.sum(), shared.scaled(by: 10).sum())
      a.backward()
      b.backward()
    }
    await #expect(processExitsWith: .failure) {
      let y = Variable(Tensor(1), requiresGradient: true).scaled(by: 2)
      y.backward()
      y.backward()
    }
  }

  @Test("a chain of 200,000 operations is freed without overflowing the stack")
  func longChain() {
    let x = leaf([1])
    var y: Variable? = x
    for _ in 0..<200_000 { y = y?.shifted(by: 1) }
    y = nil
    #expect(x.gradient == nil)
  }

  @Test("a wrong shape stops the process")
  func shapeErrors() async {
    await #expect(processExitsWith: .failure) {
      _ = linear(Variable(Tensor(shape: [2, 3])), Variable(Tensor(shape: [4, 5])))
    }
    await #expect(processExitsWith: .failure) {
      _ = Variable(Tensor(shape: [2, 3])) + Variable(Tensor(shape: [2]))
    }
    await #expect(processExitsWith: .failure) {
      _ = attention(Variable(Tensor(shape: [4, 6])), lengths: [3], heads: 1, causal: false)
    }
  }
}
