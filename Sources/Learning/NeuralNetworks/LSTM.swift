public import Autograd
public import SeededRandom
import TensorEngine

/// Long short-term memory over packed sequences, with the names and initialisation of torch's `nn.LSTM`.
///
/// A step costs one product for the sequences that are still going; the products with the inputs are one for
/// all steps.
public final class LSTM: Module {
  /// One layer in one direction.
  private final class Direction {
    let inputWeight, hiddenWeight, inputBias, hiddenBias: Variable
    let suffix: String

    init(_ inputs: Int, _ width: Int, suffix: String, random: inout RandomStream) {
      let bound = 1 / Double(max(1, width)).squareRoot()
      inputWeight = .parameter(.uniform([4 * width, inputs], bound: bound, random: &random))
      hiddenWeight = .parameter(.uniform([4 * width, width], bound: bound, random: &random))
      inputBias = .parameter(.uniform([4 * width], bound: bound, random: &random))
      hiddenBias = .parameter(.uniform([4 * width], bound: bound, random: &random))
      self.suffix = suffix
    }

    func run(_ x: Variable, _ steps: SequenceSteps, _ width: Int) -> LSTMResult {
      let projected = linear(x, inputWeight, inputBias)
      // Sequences without a row end before the first step.
      var hidden = Variable(Tensor(shape: [steps.sequences, width]))
      var cell = hidden
      var outputs: [Variable] = []
      var (ended, endedCells): ([Variable], [Variable]) = ([], [])
      for (step, count) in steps.counts.enumerated() {
        let before = hidden.shape[0]
        if count < before {
          // The shortest stand last: they have ended.
          ended.append(hidden.slice(axis: 0, count..<before))
          endedCells.append(cell.slice(axis: 0, count..<before))
          hidden = hidden.slice(axis: 0, 0..<count)
          cell = cell.slice(axis: 0, 0..<count)
        }
        let gates =
          gatherRows(projected, steps.rows[step]) + linear(hidden, hiddenWeight, hiddenBias)
        (hidden, cell) = lstmStep(gates: gates, cell: cell)
        outputs.append(hidden)
      }
      let (last, lastCell) = (ended.reversed(), endedCells.reversed())
      return LSTMResult(
        outputs: outputs.isEmpty
          ? Variable(Tensor(shape: [0, width]))
          : gatherRows(concatenated(outputs, axis: 0), steps.places),
        hidden: steps.inOrder(concatenated([hidden] + last, axis: 0)),
        cell: steps.inOrder(concatenated([cell] + lastCell, axis: 0)))
    }

    func visit(_ prefix: String, _ visit: (String, Variable) -> Void) {
      visit(prefix + "weight_ih_" + suffix, inputWeight)
      visit(prefix + "weight_hh_" + suffix, hiddenWeight)
      visit(prefix + "bias_ih_" + suffix, inputBias)
      visit(prefix + "bias_hh_" + suffix, hiddenBias)
    }
  }

  /// Of each layer one, or forwards and backwards.
  private let layers: [[Direction]]
  public let width: Int

  /// - Parameters:
  ///   - inputs: The width of a row.
  ///   - width: H, of the hidden state.
  ///   - layers: How many, each on the outputs of the one before.
  ///   - bidirectional: Whether each layer also goes from the end to the start.
  ///   - random: The stream.
  public init(
    _ inputs: Int, _ width: Int, layers: Int = 1, bidirectional: Bool = false,
    random: inout RandomStream
  ) {
    self.width = width
    let directions = bidirectional ? ["", "_reverse"] : [""]
    var made: [[Direction]] = []
    for layer in 0..<layers {
      let own = layer == 0 ? inputs : directions.count * width
      var both: [Direction] = []
      for direction in directions {
        both.append(Direction(own, width, suffix: "l\(layer)\(direction)", random: &random))
      }
      made.append(both)
    }
    self.layers = made
  }

  /// - Parameters:
  ///   - x: `[ΣL, inputs]`, packed.
  ///   - lengths: The sequences' lengths; one of length 0 ends in zeros.
  /// - Returns: Of the last layer the hidden state at every row, of all layers and directions the last states.
  public func callAsFunction(_ x: Variable, lengths: [Int]) -> LSTMResult {
    precondition(
      x.shape.count == 2 && x.shape[0] == lengths.reduce(0, +) && lengths.allSatisfy { $0 >= 0 },
      "LSTM: rows \(x.shape) for lengths \(lengths)")
    let ways = [SequenceSteps(lengths), SequenceSteps(lengths, isReversed: true)]
    var (input, hidden, cells): (Variable, [Variable], [Variable]) = (x, [], [])
    for layer in layers {
      let results = zip(layer, ways).map { $0.run(input, $1, width) }
      input =
        results.count == 1 ? results[0].outputs : concatenated(results.map(\.outputs), axis: 1)
      hidden += results.map(\.hidden)
      cells += results.map(\.cell)
    }
    func stacked(_ parts: [Variable]) -> Variable {
      concatenated(parts.map { $0.reshaped([1, lengths.count, width]) }, axis: 0)
    }
    return LSTMResult(outputs: input, hidden: stacked(hidden), cell: stacked(cells))
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    for direction in layers.joined() { direction.visit(prefix, visit) }
  }
}

/// What an LSTM gives.
public struct LSTMResult {
  /// `[ΣL, directions·H]`, packed as the inputs were.
  public var outputs: Variable
  /// `[layers·directions, N, H]`: each sequence's last.
  public var hidden: Variable
  /// `[layers·directions, N, H]`.
  public var cell: Variable
}

/// The order in which packed sequences are gone through: step by step, the longest first.
private struct SequenceSteps {
  /// The sequences that have a row at each step.
  var counts: [Int] = []
  /// Their rows.
  var rows: [[Int]] = []
  /// For each packed row its place among the rows of all steps.
  var places: [Int]
  /// For each sequence its place in the order of the steps.
  private var ranks: [Int]

  init(_ lengths: [Int], isReversed: Bool = false) {
    var starts: [Int] = []
    var total = 0
    for length in lengths {
      starts.append(total)
      total += length
    }
    // Stable: equal lengths stay in order.
    let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    ranks = [Int](repeating: 0, count: lengths.count)
    for (rank, sequence) in order.enumerated() { ranks[sequence] = rank }
    places = [Int](repeating: 0, count: total)
    var done = 0
    for step in 0..<(lengths.max() ?? 0) {
      let going = order.filter { lengths[$0] > step }
      let own = going.map {
        starts[$0] + (isReversed ? lengths[$0] - 1 - step : step)
      }
      for row in own {
        places[row] = done
        done += 1
      }
      counts.append(going.count)
      rows.append(own)
    }
  }

  var sequences: Int { ranks.count }

  /// States in the order of the steps, back in that of the sequences.
  func inOrder(_ states: Variable) -> Variable { gatherRows(states, ranks) }
}
