/// Vectors of equal width in one row of numbers over several files.
public struct EmbeddingRows: Sendable {
  public let count: Int
  public let width: Int
  private let parts: [NumpyRows]
  /// The number of each part's first row, and behind the last the count of all.
  private let starts: [Int]

  /// - Throws: ``EmbeddingFileError`` where the widths differ.
  public init(_ parts: [NumpyRows]) throws(EmbeddingFileError) {
    precondition(!parts.isEmpty, "embeddings of no file")
    var starts = [0]
    for part in parts {
      guard part.columns == parts[0].columns else {
        throw EmbeddingFileError(
          path: part.path,
          .mismatch("rows of \(part.columns) numbers, and \(parts[0].columns) in \(parts[0].path)"))
      }
      starts.append(starts[starts.count - 1] + part.rows)
    }
    self.parts = parts
    self.starts = starts
    count = starts[starts.count - 1]
    width = parts[0].columns
  }

  /// Copies rows into `floats`, one behind the other from `offset` on.
  public func copy(_ range: Range<Int>, to floats: inout MutableSpan<Float>, at offset: Int = 0) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count)")
    var row = range.lowerBound
    while row < range.upperBound {
      let part = part(of: row)
      let end = min(range.upperBound, starts[part + 1])
      parts[part].copy(
        row - starts[part]..<end - starts[part], to: &floats,
        at: offset + (row - range.lowerBound) * width)
      row = end
    }
  }

  /// Some rows, one behind the other.
  public func vectors(_ range: Range<Int>) -> [Float] {
    var floats = [Float](repeating: 0, count: range.count * width)
    var span = floats.mutableSpan
    copy(range, to: &span)
    return floats
  }

  /// Some rows, one behind the other, as little-endian Floats.
  public func bytes(_ range: Range<Int>) -> [UInt8] {
    HalfFloats.bytes(vectors(range).span, type: .float32)
  }

  /// The part that holds a row: the last that begins at or before it.
  private func part(of row: Int) -> Int {
    var (low, high) = (0, parts.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
