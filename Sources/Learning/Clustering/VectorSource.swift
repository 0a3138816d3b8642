public import TensorEngine

/// Rows of floats that are read in pieces, from a file for instance; N rows of width D.
public struct VectorSource: Sendable {
  /// Copies rows into a space, one behind the other from an offset on; any number of threads call it.
  public typealias Fill = @Sendable (Range<Int>, inout MutableSpan<Float>, Int) -> Void

  public let count: Int
  public let width: Int
  private let fill: Fill

  public init(count: Int, width: Int, fill: @escaping Fill) {
    precondition(count >= 0 && width > 0, "\(count) vectors of \(width)")
    self.count = count
    self.width = width
    self.fill = fill
  }

  /// The rows of a matrix, `[N, D]`.
  public init(_ matrix: Tensor) {
    precondition(matrix.shape.count == 2, "\(matrix.shape) is no matrix")
    let width = matrix.shape[1]
    self.init(count: matrix.shape[0], width: width) { rows, floats, offset in
      matrix.withSpan { values in
        for index in 0..<rows.count * width {
          floats[offset + index] = values[rows.lowerBound * width + index]
        }
      }
    }
  }

  /// Some of the rows, in the order of `rows`.
  public func rows(_ rows: [Int]) -> VectorSource {
    VectorSource(count: rows.count, width: width) { range, floats, offset in
      var next = offset
      for index in range {
        fill(rows[index]..<rows[index] + 1, &floats, next)
        next += width
      }
    }
  }

  /// Rows as a matrix, `[R, D]`.
  public func matrix(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count)")
    var tensor = Tensor(uninitialized: [range.count, width])
    tensor.withMutableSpan { fill(range, &$0, 0) }
    return tensor
  }

  /// Rows brought to length one, `[R, D]`; a row of zeros stays as it is.
  ///
  /// Halves are so coarse that their lengths are off by 1e-4, which a cosine near 1 must not be.
  public func unitMatrix(_ range: Range<Int>) -> Tensor {
    var tensor = matrix(range)
    tensor.withMutableSpan { UnitRows.normalize(&$0, width: width) }
    return tensor
  }

  /// The pieces of at most `size` rows, cut at its multiples.
  func blocks(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}
