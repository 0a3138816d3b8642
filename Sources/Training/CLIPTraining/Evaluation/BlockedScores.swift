import TensorEngine

/// Cosines of rows with rows, some rows of the one side at a time.
///
/// A score depends on its two rows alone, bit for bit: equal rows tie wherever they stand.
struct BlockedScores {
  /// Rows of scores in memory at a time.
  private static let block = 64

  private let queries: Tensor
  private let candidates: PackedLinear?
  private let count: Int

  /// - Parameters:
  ///   - queries: `[M, D]`.
  ///   - candidates: `[K, D]`.
  init(_ queries: Tensor, _ candidates: Tensor) {
    self.queries = queries
    count = candidates.shape[0]
    self.candidates = count > 0 && queries.shape[0] > 0 ? PackedLinear(candidates, bias: nil) : nil
  }

  /// Gives each query's number and its K scores, in order.
  func forEachRow(_ body: (Int, Span<Float>) -> Void) {
    guard let candidates else { return }
    let rows = queries.shape[0]
    for start in stride(from: 0, to: rows, by: Self.block) {
      let range = start..<min(start + Self.block, rows)
      let scores = candidates(queries.slice(axis: 0, range))
      scores.withSpan { span in
        for row in range {
          let first = (row - start) * count
          body(row, span.extracting(first..<first + count))
        }
      }
    }
  }
}
