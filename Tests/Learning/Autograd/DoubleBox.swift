import Foundation

/// Numbers in Double with a shape: what the plainest form of every operation is written with.
struct Box {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) {
    precondition(values.count == shape.reduce(1, *), "\(shape) with \(values.count) values")
    (self.shape, self.values) = (shape, values)
  }

  var columns: Int { shape.last ?? 1 }
  var rows: Int { columns == 0 ? 0 : values.count / columns }
  func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }

  func map(_ function: (Double) -> Double) -> Box { Box(shape, values.map(function)) }

  /// Elementwise; a shorter one repeats.
  func zip(_ other: Box, _ function: (Double, Double) -> Double) -> Box {
    let longer = shape.count >= other.shape.count ? self : other
    return Box(
      longer.shape,
      longer.values.indices.map {
        function(values[$0 % values.count], other.values[$0 % other.values.count])
      })
  }

  /// Each row by itself; `width` is that of the results, nil for one number a row.
  func mapRows(_ width: Int?, _ function: ([Double]) -> [Double]) -> Box {
    Box(shape.dropLast() + (width.map { [$0] } ?? []), (0..<rows).flatMap { function(row($0)) })
  }

  /// Values at the places that `place` gives for each index of a result of `shape`.
  func picked(_ shape: [Int], _ place: ([Int]) -> [Int]) -> Box {
    let count = shape.reduce(1, *)
    return Box(
      shape,
      (0..<count).map { flat in
        var (rest, index) = (flat, [Int](repeating: 0, count: shape.count))
        for axis in shape.indices.reversed() {
          index[axis] = rest % shape[axis]
          rest /= shape[axis]
        }
        return values[Swift.zip(place(index), self.shape).reduce(0) { $0 * $1.1 + $1.0 }]
      })
  }

  func columns(_ range: Range<Int>) -> Box {
    mapRows(range.count) { Array($0[range]) }
  }

  var matrixTransposed: Box {
    let last = shape.count - 1
    return picked(shape.dropLast(2) + [shape[last], shape[last - 1]]) {
      $0.dropLast(2) + [$0[last], $0[last - 1]]
    }
  }

  func matmul(_ other: Box) -> Box {
    let (m, k, n) = (shape[shape.count - 2], columns, other.columns)
    let batch = Array(shape.dropLast(2))
    return Box(
      batch + [m, n],
      (0..<batch.reduce(1, *)).flatMap { item in
        let start = other.shape.count == 2 ? 0 : item * k * n
        return (0..<m * n).map { place in
          (0..<k).reduce(0) {
            $0 + values[item * m * k + place / n * k + $1]
              * other.values[start + $1 * n + place % n]
          }
        }
      })
  }

  func linear(_ weight: Box, _ bias: Box? = nil) -> Box {
    let y = Box([rows, columns], values).matmul(weight.matrixTransposed)
    let shaped = Box(shape.dropLast() + [weight.shape[0]], y.values)
    return bias.map { shaped.zip($0, +) } ?? shaped
  }

  func layerNorm(_ weight: Box, _ bias: Box? = nil) -> Box {
    mapRows(columns) { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map {
        (row[$0] - mean) / (variance + 1e-5).squareRoot() * weight.values[$0]
          + (bias?.values[$0] ?? 0)
      }
    }
  }

  func softmax() -> Box {
    mapRows(columns) { row in
      let sum = row.reduce(0) { $0 + exp($1) }
      return row.map { exp($0) / sum }
    }
  }

  static func attention(
    _ q: Box, _ k: Box, _ v: Box, _ queries: [Int], _ keys: [Int], heads: Int, causal: Bool
  ) -> Box {
    let width = q.columns / heads
    var result: [Double] = []
    var (queryStart, keyStart) = (0, 0)
    for (m, n) in Swift.zip(queries, keys) {
      for row in 0..<m {
        for head in 0..<heads {
          func part(_ box: Box, _ row: Int) -> ArraySlice<Double> {
            box.row(row)[head * width..<(head + 1) * width]
          }
          let seen = causal ? n - m + row + 1 : n
          let weights = (0..<seen).map { key in
            exp(
              Swift.zip(part(q, queryStart + row), part(k, keyStart + key)).reduce(0) {
                $0 + $1.0 * $1.1
              } / Double(width).squareRoot())
          }
          let sum = weights.reduce(0, +)
          for column in 0..<width {
            result.append(
              (0..<seen).reduce(0) {
                $0 + weights[$1] * v.row(keyStart + $1)[head * width + column]
              } / sum)
          }
        }
      }
      queryStart += m
      keyStart += n
    }
    return Box(q.shape, result)
  }

  func convolved(_ weight: Box, _ bias: Box, stride: Int, padding: Int, groups: Int) -> Box {
    let (each, kh, kw) = (weight.shape[1], weight.shape[2], weight.shape[3])
    let height = (shape[1] + 2 * padding - kh) / stride + 1
    let width = (shape[2] + 2 * padding - kw) / stride + 1
    let outputs = weight.shape[0]
    var result: [Double] = []
    for place in 0..<shape[0] * height * width * outputs {
      let output = place % outputs
      let (column, row) = (place / outputs % width, place / outputs / width % height)
      let picture = place / outputs / width / height
      var sum = bias.values[output]
      for tap in 0..<each * kh * kw {
        let (channel, dy, dx) = (tap / kw / kh, tap / kw % kh, tap % kw)
        let (y, x) = (row * stride - padding + dy, column * stride - padding + dx)
        guard (0..<shape[1]).contains(y), (0..<shape[2]).contains(x) else { continue }
        let source = output / (outputs / groups) * each + channel
        sum +=
          values[((picture * shape[1] + y) * shape[2] + x) * shape[3] + source]
          * weight.values[output * each * kh * kw + tap]
      }
      result.append(sum)
    }
    return Box([shape[0], height, width, outputs], result)
  }

  /// By the batch's own moments, or by `given` as mean and variance.
  func batchNorm(_ weight: Box, _ bias: Box, given: [Double]? = nil) -> Box {
    var result = self
    for channel in 0..<columns {
      let column = (0..<rows).map { values[$0 * columns + channel] }
      let mean = given?[channel] ?? column.reduce(0, +) / Double(rows)
      let variance =
        given?[channel] ?? column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
      for row in 0..<rows {
        let place = row * columns + channel
        result.values[place] =
          (values[place] - mean) / (variance + 1e-5).squareRoot() * weight.values[channel]
          + bias.values[channel]
      }
    }
    return result
  }
}

/// The GELUs in Double.
enum DoubleGELU {
  static func exact(_ x: Double) -> Double { x * 0.5 * erfc(-x / 2.0.squareRoot()) }
  static func quick(_ x: Double) -> Double { x / (1 + exp(-1.702 * x)) }
  static func tanh(_ x: Double) -> Double {
    0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }
}
