import Autograd
import SeededRandom
import TensorEngine
import Testing

/// Operations in any order, results read by several others: what a rule keeps, and who has it made again when.
struct RandomGraphTests {
  /// Of the leaves: x and y, a square matrix, a gain and an offset.
  private static let shapes = [[5, 6], [5, 6], [6, 6], [6], [6]]

  private static func inputs(_ seed: UInt64) -> [Tensor] {
    shapes.enumerated().map {
      randomTensor(
        $1, seed: seed * 10 + UInt64($0), scale: $0 == 2 ? 0.4 : 0.7, offset: $0 == 3 ? 1 : 0)
    }
  }

  /// Bounded, so that no chain of products runs away.
  private static func bounded(_ x: Variable) -> Variable { x.scaled(by: 0.5).tanh() }

  private static func norm(_ x: Variable, _ leaves: [Variable], _ offset: Variable?) -> Variable {
    layerNorm(x, leaves[3], offset, epsilon: 0.3)
  }

  /// The `number`th way to make a `[5, 6]` of three.
  private static func result(
    _ number: Int, _ a: Variable, _ b: Variable, _ c: Variable, _ leaves: [Variable]
  ) -> Variable {
    let (matrix, gain, offset) = (leaves[2], leaves[3], leaves[4])
    let kind = GELU.allCases[number % 3]
    return switch number {
    case 0: bounded(a) * b - bounded(c)
    case 1: bounded(a) / (bounded(b) * bounded(b)).shifted(by: 1)
    case 2, 3, 4: gelu(a, kind)
    case 5: linear(a, matrix, offset) + b
    case 6, 7, 8: linear(a, matrix, number == 7 ? nil : offset, activation: kind)
    case 9: norm(a, leaves, offset)
    case 10: batchNorm(a, gain, offset, epsilon: 0.3).value
    case 11:
      attention(concatenated([a, b, a], axis: 1), lengths: [2, 3], heads: 2, causal: true)
    case 12:
      attention(a, b, c, queryLengths: [1, 4], keyLengths: [3, 2], heads: 3, causal: false)
    case 13:
      attention(
        a, keysAndValues: concatenated([b, a], axis: 1), queryLengths: [5], keyLengths: [5],
        heads: 1, causal: true)
    case 14: matmul(matmul(a, b, transposeB: true).scaled(by: 0.2), c).scaled(by: 0.3)
    case 15: gatherRows(a, [4, 0, 0, 3, 1] as [Int])
    case 16: concatenated([a.slice(axis: 0, 3..<5), b.slice(axis: 0, 0..<3)], axis: 0)
    case 17:
      recomputed(a, parameters: [matrix, gain, offset]) {
        gelu(linear(norm($0, leaves, offset), matrix, offset, activation: .exact), .tanh) + $0
      }
    case 18:
      groupNorm(a.reshaped([5, 1, 6]), gain, offset, groups: 2, epsilon: 0.3).reshaped([5, 6])
    default:
      lstmStep(gates: concatenated([a, b, a, c], axis: 1), cell: bounded(b)).hidden
    }
  }

  private static func graph(_ seed: UInt64, _ leaves: [Variable]) -> Variable {
    var random = RandomStream(seed: seed)
    func draw(below count: Int) -> Int { min(count - 1, Int(random.uniform() * Double(count))) }
    var nodes = Array(leaves.prefix(2))
    for _ in 0..<14 {
      let (a, b, c) = (
        nodes[draw(below: nodes.count)], nodes[draw(below: nodes.count)],
        nodes[draw(below: nodes.count)]
      )
      let made = result(draw(below: 20), a, b, c, leaves)
      nodes.append(draw(below: 3) == 0 ? norm(made, leaves, nil) : made)
    }
    return nodes.suffix(4).reduce(Variable(Tensor(0))) { $0 + bounded($1).sum() }
  }

  @Test("the slope along a random direction is that of the values", arguments: 0..<4)
  func slopes(part: UInt64) {
    for seed in part * 50..<part * 50 + 50 {
      let inputs = Self.inputs(seed)
      let directions = Self.shapes.enumerated().map {
        randomTensor($1, seed: seed * 10 + 5 + UInt64($0))
      }
      func difference(_ step: Float) -> Double {
        func value(_ step: Float) -> Double {
          let moved = zip(inputs, directions).map { input, direction in
            var input = input
            input.add(direction, scaledBy: step)
            return Variable(input)
          }
          return Double(Self.graph(seed, moved).value.scalar)
        }
        return value(step) - value(-step)
      }
      let step: Float = 1.0 / 256
      let numeric = (8 * difference(step) - difference(2 * step)) / (12 * Double(step))
      for storage in ActivationStorage.allCases {
        let leaves = inputs.map { Variable($0, requiresGradient: true) }
        withActivationStorage(storage) { Self.graph(seed, leaves).backward() }
        let found = zip(leaves, directions).reduce(0.0) {
          $0 + Double($1.0.gradient?.dot($1.1) ?? 0)
        }
        let size = leaves.reduce(0.0) { $0 + ($1.gradient?.squaredNorm() ?? 0) }.squareRoot()
        // 0.02: Float's rounding of the values over the step; what is kept rounded errs by some 1e-2 in a deep graph.
        let tolerance = storage == .float32 ? 0.02 : 0.1
        #expect(abs(found - numeric) < tolerance * (size + 1e-2), "\(seed), \(storage)")
      }
    }
  }
}

struct LongAttentionTests {
  /// Attention written out: scores, mask, softmax and product of each sequence and head by themselves.
  private func plain(
    _ parts: [Variable], _ queryLengths: [Int], _ keyLengths: [Int], causal: Bool
  ) -> Variable {
    var (sequences, query, key): ([Variable], Int, Int) = ([], 0, 0)
    for (queries, keys) in zip(queryLengths, keyLengths) {
      let heads = (0..<2).map { head in
        func cut(_ x: Variable, _ rows: Range<Int>) -> Variable {
          x.slice(axis: 0, rows).slice(axis: 1, head * 2..<head * 2 + 2)
        }
        var mask = Tensor(shape: [queries, keys])
        mask.withMutableSpan { span in
          for row in 0..<queries {
            for column in 0..<keys where causal && column > keys - queries + row {
              span[row * keys + column] = -1e9
            }
          }
        }
        let scores = matmul(
          cut(parts[0], query..<query + queries), cut(parts[1], key..<key + keys), transposeB: true)
        return matmul(
          (scores.scaled(by: Float(0.5).squareRoot()) + Variable(mask)).softmax(),
          cut(parts[2], key..<key + keys))
      }
      sequences.append(concatenated(heads, axis: 1))
      (query, key) = (query + queries, key + keys)
    }
    return concatenated(sequences, axis: 0)
  }

  @Test(
    "more queries than one tile of scores holds, on one thread and on three",
    arguments: [false, true])
  func tiles(causal: Bool) throws {
    let (queryLengths, keyLengths) = ([1100, 3, 513], [1300, 3, 514])
    let inputs = [queryLengths, keyLengths, keyLengths].enumerated().map {
      randomTensor([$1.reduce(0, +), 4], seed: UInt64($0))
    }
    let seed = randomTensor(inputs[0].shape, seed: 4)
    func run(_ operation: ([Variable]) -> Variable) throws -> [[Double]] {
      let leaves = inputs.map { Variable($0, requiresGradient: true) }
      let result = operation(leaves)
      Variable.backward(from: [(result, seed)])
      return [result.value.values.map(Double.init)]
        + (try leaves.map { try #require($0.gradient).values.map(Double.init) })
    }
    let expected = try run { plain($0, queryLengths, keyLengths, causal: causal) }
    for threads in [1, 3] {
      let found = try TensorThreads.within(threads) {
        try run {
          attention(
            $0[0], $0[1], $0[2], queryLengths: queryLengths, keyLengths: keyLengths, heads: 2,
            causal: causal)
        }
      }
      // 1e-5: sums over a thousand keys in another order.
      for (a, b) in zip(found, expected) { #expect(relativeDistance(a, b) < 1e-5) }
    }
  }
}
