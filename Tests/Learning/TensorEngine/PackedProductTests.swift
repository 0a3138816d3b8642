import Foundation
import SeededRandom
import TensorEngine
import Testing

/// Products with packed weights against loops of three lines.
///
/// Serialised: the instructions are those of the whole process.
@Suite(.serialized) struct PackedProductTests {
  struct Sides: Sendable, CustomStringConvertible {
    var rows: Int
    var inputs: Int
    var outputs: Int
    var description: String { "\(rows)×\(inputs)×\(outputs)" }
  }

  static let sides: [Sides] =
    [0, 1, 5, 6, 7, 11, 12, 13, 25].map { Sides(rows: $0, inputs: 36, outputs: 48) }
    + [1, 2, 3, 4, 5, 31, 33, 129].map { Sides(rows: 14, inputs: $0, outputs: 33) }
    + [1, 15, 16, 17, 31, 32, 64, 65].map { Sides(rows: 3, inputs: 40, outputs: $0) }
    + [Sides(rows: 61, inputs: 257, outputs: 70)]

  static func random(_ shape: [Int], _ path: UInt64) -> Tensor {
    var random = RandomStream(seed: 5, path: path)
    return Tensor(
      shape: shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
  }

  /// Runs `body` with each set of instructions that this processor has.
  static func eachInstructions(_ body: (VectorInstructions) throws -> Void) rethrows {
    defer { VectorInstructions.limit(to: .vnni) }
    for best in VectorInstructions.allCases where best <= VectorInstructions.available {
      VectorInstructions.limit(to: best)
      try body(best)
    }
  }

  static func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

  @Test("a float product is a chain of fused multiply-adds over k, to the bit", arguments: sides)
  func floatProduct(sides: Sides) {
    let (m, k, n) = (sides.rows, sides.inputs, sides.outputs)
    let (x, w, b) = (Self.random([m, k], 1), Self.random([n, k], 2), Self.random([n], 3))
    let (xs, ws, bs) = (x.values, w.values, b.values)
    var wanted: [UInt32] = []
    for row in 0..<m {
      for column in 0..<n {
        var sum: Float = 0
        for i in 0..<k { sum.addProduct(xs[row * k + i], ws[column * k + i]) }
        wanted.append((sum + bs[column]).bitPattern)
      }
    }
    Self.eachInstructions { best in
      #expect(Self.bits(PackedLinear(w, bias: b)(x)) == wanted, "\(best)")
    }
  }

  /// Bytes of a row and their scale: the definition.
  static func bytes(_ row: ArraySlice<Float>) -> ([Int32], Float) {
    let largest = row.reduce(0) { max($0, abs($1)) }
    return (row.map { Int32(($0 * (127 / largest)).rounded(.toNearestOrEven)) }, largest / 127)
  }

  @Test("a product of bytes has the reference's whole sums, to the bit", arguments: sides)
  func byteProduct(sides: Sides) {
    let (m, k, n) = (sides.rows, sides.inputs, sides.outputs)
    let (x, w, b) = (Self.random([m, k], 1), Self.random([n, k], 2), Self.random([n], 3))
    let bs = b.values
    let rows = (0..<m).map { Self.bytes(x.values[$0 * k..<($0 + 1) * k]) }
    let columns = (0..<n).map { Self.bytes(w.values[$0 * k..<($0 + 1) * k]) }
    var wanted: [UInt32] = []
    for (a, rowScale) in rows {
      for (column, (q, columnScale)) in columns.enumerated() {
        let sum = zip(a, q).reduce(Int32(0)) { $0 + $1.0 * $1.1 }
        wanted.append((Float(sum) * (rowScale * columnScale) + bs[column]).bitPattern)
      }
    }
    Self.eachInstructions { best in
      let packed = PackedLinear(w, bias: b, precision: .int8)
      #expect(Self.bits(packed(x)) == wanted, "\(best)")
    }
  }

  @Test("sums of bytes at their largest do not saturate")
  func extremes() {
    let k = 3072
    let x = Tensor(shape: [2, k], repeating: 1)
    var values = [Float](repeating: 1, count: k)
    values += [Float](repeating: -1, count: k)
    let w = Tensor(shape: [2, k], values)
    let scale: Float = (1 / 127) * (1 / 127)
    let sum = Float(127 * 127 * k) * scale
    Self.eachInstructions { best in
      let y = PackedLinear(w, bias: nil, precision: .int8)(x)
      #expect(y.values == [sum, -sum, sum, -sum], "\(best)")
    }
  }

  @Test(
    "a row's bits depend neither on other rows nor on threads",
    arguments: ProductPrecision.allCases)
  func rowsAlone(precision: ProductPrecision) {
    let (x, w) = (Self.random([130, 200], 4), Self.random([100, 200], 5))
    let packed = PackedLinear(w, bias: nil, precision: precision)
    let whole = packed(x)
    for threads in 1...3 {
      TensorThreads.within(threads) {
        #expect(Self.bits(packed(x)) == Self.bits(whole))
        for rows in [0..<1, 17..<31, 100..<130] {
          let part = packed(x.slice(axis: 0, rows))
          #expect(Self.bits(part) == Self.bits(whole.slice(axis: 0, rows)))
        }
      }
    }
  }

  @Test("norm, activation and residual equal the separate steps", arguments: GELU.allCases)
  func fused(kind: GELU) {
    let (x, w, b) = (Self.random([29, 72], 6), Self.random([45, 72], 7), Self.random([45], 8))
    let (gain, offset) = (Self.random([72], 9), Self.random([72], 10))
    let residual = Self.random([29, 45], 11)
    let packed = PackedLinear(w, bias: b)
    let norm = RowNormalization(weight: gain, bias: offset)
    let normal = x.layerNorm(weight: gain, bias: offset, epsilon: 1e-5).value
    #expect(Self.bits(packed(x, norm: norm)) == Self.bits(packed(normal)))
    #expect(
      Self.bits(packed(x, activation: kind))
        == Self.bits(packed(x).gelu(kind)))
    #expect(
      Self.bits(packed(x, residual: residual))
        == Self.bits(.combine(packed(x), residual, .add)))
  }

  @Test("what is no number stays none, and a row of zeros gives the bias")
  func specialRows() {
    let w = Self.random([40, 33], 12)
    var values = [Float](repeating: 0, count: 3 * 33)
    values[40] = .nan
    values[70] = .infinity
    Self.eachInstructions { _ in
      let y = PackedLinear(w, bias: nil, precision: .int8)(Tensor(shape: [3, 33], values)).values
      #expect(y[..<40].allSatisfy { $0 == 0 })
      #expect(y[40...].allSatisfy { !$0.isFinite })
    }
  }

  @Test("attention is that of the training kernel within rounding", arguments: [false, true])
  func attention(causal: Bool) {
    let (heads, width) = (3, 120)
    let lengths = [1, 2, 7, 12, 13, 33, 50]
    let total = lengths.reduce(0, +)
    let qkv = Self.random([total, 3 * width], 13)
    let scale = 1 / Float(width / heads).squareRoot()
    let layout = AttentionLayout(
      heads: heads, queryLengths: lengths, keyLengths: lengths, causal: causal, scale: scale)
    let wanted = Tensor.attention(
      AttentionColumns(qkv), AttentionColumns(qkv, column: width),
      AttentionColumns(qkv, column: 2 * width), width: width, layout: layout
    ).values
    var scaled = qkv
    scaled.withMutableSpan { span in
      for row in 0..<total { for column in 0..<width { span[row * 3 * width + column] *= scale } }
    }
    Self.eachInstructions { best in
      let attention = PackedAttention(heads: heads, causal: causal)
      let found = attention(scaled, lengths: lengths)
      let worst = zip(found.values, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
      // 40 products a score, 50 a value, in Float, of numbers about 1.
      #expect(worst < 2e-5, "\(best)")
      // The last row of each sequence sees all of it, causal or not.
      let ends = lengths.indices.map { lengths[...$0].reduce(0, +) - 1 }
      let pooled = attention.pooled(
        scaled.gatherRows(ends).slice(axis: 1, 0..<width),
        keysAndValues: scaled.slice(axis: 1, width..<3 * width), lengths: lengths)
      #expect(Self.bits(pooled) == Self.bits(found.gatherRows(ends)))
    }
  }
}
