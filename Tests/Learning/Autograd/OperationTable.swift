import Autograd
import Foundation
import TensorEngine

/// An operation of Autograd beside its plainest form in Double.
struct Operation: Sendable {
  var name: String
  var run: @Sendable ([Variable]) -> Variable
  var reference: @Sendable ([Box]) -> Box

  init(
    _ name: String, _ run: @escaping @Sendable ([Variable]) -> Variable,
    is reference: @escaping @Sendable ([Box]) -> Box
  ) {
    (self.name, self.run, self.reference) = (name, run, reference)
  }

  /// Every operation; inputs come with the fixture of the same name.
  static let all: [Operation] =
    arithmetic + functions + rows + products + attentions + pictures + moves

  private static let arithmetic = [
    Operation("add") {
      $0[0] + $0[1]
    } is: {
      $0[0].zip($0[1], +)
    },
    Operation("subtract") {
      $0[0] - $0[1]
    } is: {
      $0[0].zip($0[1], -)
    },
    Operation("multiply") {
      $0[0] * $0[1]
    } is: {
      $0[0].zip($0[1], *)
    },
    Operation("divide") {
      $0[0] / $0[1]
    } is: {
      $0[0].zip($0[1], /)
    },
    Operation("scaled") {
      $0[0].scaled(by: -1.5).shifted(by: 2)
    } is: {
      $0[0].map { $0 * -1.5 + 2 }
    },
  ]

  private static let functions = [
    Operation("exp") {
      $0[0].exp()
    } is: {
      $0[0].map(Foundation.exp)
    },
    Operation("log") {
      $0[0].log()
    } is: {
      $0[0].map(Foundation.log)
    },
    Operation("sqrt") {
      $0[0].sqrt()
    } is: {
      $0[0].map { $0.squareRoot() }
    },
    Operation("tanh") {
      $0[0].tanh()
    } is: {
      $0[0].map(Foundation.tanh)
    },
    Operation("sigmoid") {
      $0[0].sigmoid()
    } is: {
      $0[0].map { 1 / (1 + Foundation.exp(-$0)) }
    },
    Operation("relu") {
      $0[0].relu()
    } is: {
      $0[0].map { max($0, 0) }
    },
    Operation("gelu") {
      gelu($0[0], .exact)
    } is: {
      $0[0].map(DoubleGELU.exact)
    },
    Operation("gelu_quick") {
      gelu($0[0], .quick)
    } is: {
      $0[0].map(DoubleGELU.quick)
    },
    Operation("gelu_tanh") {
      gelu($0[0], .tanh)
    } is: {
      $0[0].map(DoubleGELU.tanh)
    },
  ]

  private static let rows = [
    Operation("softmax") {
      $0[0].softmax()
    } is: {
      $0[0].softmax()
    },
    Operation("logsumexp") {
      $0[0].logSumExp()
    } is: {
      $0[0].mapRows(nil) { [Foundation.log($0.reduce(0) { $0 + Foundation.exp($1) })] }
    },
    Operation("l2_normalized") {
      $0[0].l2Normalized()
    } is: {
      $0[0].mapRows($0[0].columns) { row in
        let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return row.map { $0 / norm }
      }
    },
    Operation("layer_norm") {
      layerNorm($0[0], $0[1], $0[2])
    } is: {
      $0[0].layerNorm($0[1], $0[2])
    },
    Operation("layer_norm_gain") {
      layerNorm($0[0], $0[1], nil)
    } is: {
      $0[0].layerNorm($0[1])
    },
    Operation("cross_entropy") {
      crossEntropy($0[0], targets($0[0].shape).map(Int32.init))
    } is: {
      let (p, targets) = ($0[0].softmax(), targets($0[0].shape))
      let losses = targets.enumerated().map { -Foundation.log(p.row($0)[$1]) }
      return Box([], [losses.reduce(0, +) / Double(losses.count)])
    },
  ]

  private static func targets(_ shape: [Int]) -> [Int] { (0..<shape[0]).map { $0 * 5 % shape[1] } }

  private static let products = [
    Operation("matmul") {
      matmul($0[0], $0[1])
    } is: {
      $0[0].matmul($0[1])
    },
    Operation("matmul_tn") {
      matmul($0[0], $0[1], transposeA: true)
    } is: {
      $0[0].matrixTransposed.matmul($0[1])
    },
    Operation("matmul_nt") {
      matmul($0[0], $0[1], transposeB: true)
    } is: {
      $0[0].matmul($0[1].matrixTransposed)
    },
    Operation("linear") {
      linear($0[0], $0[1], $0[2])
    } is: {
      $0[0].linear($0[1], $0[2])
    },
    Operation("linear_gelu") {
      linear($0[0], $0[1], $0[2], activation: .exact)
    } is: {
      $0[0].linear($0[1], $0[2]).map(DoubleGELU.exact)
    },
    Operation("linear_quick") {
      linear($0[0], $0[1], $0[2], activation: .quick)
    } is: {
      $0[0].linear($0[1], $0[2]).map(DoubleGELU.quick)
    },
    Operation("mlp") {
      linear(linear(layerNorm($0[0], $0[1], $0[2]), $0[3], $0[4], activation: .exact), $0[5])
    } is: {
      $0[0].layerNorm($0[1], $0[2]).linear($0[3], $0[4]).map(DoubleGELU.exact).linear($0[5])
    },
    Operation("recomputed") { inputs in
      recomputed(inputs[0], parameters: Array(inputs[1...])) {
        linear($0, inputs[1], inputs[2]).tanh()
      }
    } is: {
      $0[0].linear($0[1], $0[2]).map(Foundation.tanh)
    },
  ]

  private static let attentions =
    [false, true].flatMap { causal in
      [
        Operation(causal ? "attention_causal" : "attention") {
          attention($0[0], lengths: lengths($0[0].shape[0]), heads: 3, causal: causal)
        } is: {
          let own = lengths($0[0].shape[0])
          return .attention(
            $0[0].columns(0..<6), $0[0].columns(6..<12), $0[0].columns(12..<18), own, own, heads: 3,
            causal: causal)
        },
        Operation(causal ? "cross_attention_causal" : "cross_attention") {
          attention(
            $0[0], $0[1], $0[2], queryLengths: [2, 1, 3], keyLengths: [4, 1, 9], heads: 2,
            causal: causal)
        } is: {
          .attention($0[0], $0[1], $0[2], [2, 1, 3], [4, 1, 9], heads: 2, causal: causal)
        },
      ]
    } + [
      Operation("attention_shared") {
        attention(
          $0[0], keysAndValues: $0[1], queryLengths: [2, 1, 3], keyLengths: [4, 1, 9], heads: 2,
          causal: false)
      } is: {
        .attention(
          $0[0], $0[1].columns(0..<4), $0[1].columns(4..<8), [2, 1, 3], [4, 1, 9], heads: 2,
          causal: false)
      }
    ]

  /// The fixture's sequences: one of a single row, one of nine, or three of eight.
  private static func lengths(_ rows: Int) -> [Int] { rows == 8 ? [2, 1, 5] : [rows] }

  private static let pictures =
    [(1, 1, 1), (2, 1, 1), (1, 1, 2), (2, 0, 1)].map { (stride: Int, padding: Int, groups: Int) in
      Operation("conv2d_\(stride)\(padding)\(groups)") {
        conv2d($0[0], $0[1], $0[2], stride: stride, padding: padding, groups: groups)
      } is: {
        $0[0].convolved($0[1], $0[2], stride: stride, padding: padding, groups: groups)
      }
    } + [
      Operation("average_pool") {
        averagePool2d($0[0], 2)
      } is: {
        let channels = $0[0].columns
        let mean = Box([channels, 1, 2, 2], [Double](repeating: 0.25, count: channels * 4))
        return $0[0].convolved(
          mean, Box([channels], [Double](repeating: 0, count: channels)), stride: 2, padding: 0,
          groups: channels)
      },
      Operation("batch_norm") {
        batchNorm($0[0], $0[1], $0[2]).value
      } is: {
        $0[0].batchNorm($0[1], $0[2])
      },
      Operation("batch_norm_given") {
        let given = Tensor(shape: $0[1].shape, Operation.given($0[1].shape[0]).map { Float($0) })
        return batchNorm($0[0], $0[1], $0[2], mean: given, variance: given)
      } is: {
        $0[0].batchNorm($0[1], $0[2], given: given($0[1].shape[0]))
      },
      Operation("batch_norm_relu") {
        batchNorm($0[0], $0[1], $0[2]).value.relu()
      } is: {
        $0[0].batchNorm($0[1], $0[2]).map { max($0, 0) }
      },
    ]

  private static func given(_ channels: Int) -> [Double] {
    (0..<channels).map { 0.5 + 0.125 * Double($0) }
  }

  private static let moves = [
    Operation("sum") {
      $0[0].sum()
    } is: {
      Box([], [$0[0].values.reduce(0, +)])
    },
    Operation("mean") {
      $0[0].mean()
    } is: {
      Box([], [$0[0].values.reduce(0, +) / Double($0[0].values.count)])
    },
    Operation("sum_axis") {
      $0[0].sum(axis: 1)
    } is: {
      sum($0[0])
    },
    Operation("mean_axis") {
      $0[0].mean(axis: 1)
    } is: {
      let length = Double($0[0].shape[1])
      return sum($0[0]).map { $0 / length }
    },
    Operation("repeated") {
      $0[0].repeated(2, axis: 1)
    } is: {
      let shape = $0[0].shape
      return $0[0].picked([shape[0], 2, shape[1], shape[2]]) { [$0[0], $0[2], $0[3]] }
    },
    Operation("reshaped") {
      $0[0].reshaped([$0[0].shape[2], $0[0].shape[1] * $0[0].shape[0]])
    } is: {
      Box([$0[0].shape[2], $0[0].shape[1] * $0[0].shape[0]], $0[0].values)
    },
    Operation("transposed") {
      $0[0].transposed([2, 0, 1])
    } is: {
      let shape = $0[0].shape
      return $0[0].picked([shape[2], shape[0], shape[1]]) { [$0[1], $0[2], $0[0]] }
    },
    Operation("slice") {
      $0[0].slice(axis: 2, 1..<3)
    } is: {
      $0[0].columns(1..<3)
    },
    Operation("concatenated") {
      concatenated([$0[0], $0[1], $0[0]], axis: 2)
    } is: { inputs in
      let (a, b) = (inputs[0], inputs[1])
      return Box(
        a.shape.dropLast() + [3 * a.columns],
        (0..<a.rows).flatMap { a.row($0) + b.row($0) + a.row($0) })
    },
    Operation("gather_rows") {
      gatherRows($0[0], [2, 0, 2, 2] as [Int])
    } is: { inputs in
      Box([4, inputs[0].columns], [2, 0, 2, 2].flatMap { inputs[0].row($0) })
    },
    Operation("add_rows") {
      addRows($0[0], $0[1], [1, 0, 1])
    } is: { inputs in
      inputs[0].zip(
        Box(inputs[0].shape, [1, 0, 1].flatMap { inputs[1].row($0) }), +)
    },
  ]

  private static func sum(_ box: Box) -> Box {
    let (outer, length, inner) = (box.shape[0], box.shape[1], box.shape[2])
    return Box(
      [outer, inner],
      (0..<outer * inner).map { place in
        (0..<length).reduce(0) {
          $0 + box.values[(place / inner * length + $1) * inner + place % inner]
        }
      })
  }
}
