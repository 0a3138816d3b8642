import TensorEngine
import WorkerThreads

/// Finds the nearest centroid of every row by blocked matrix products.
struct ClusterAssigner {
  /// Rows, and centroids, of a product: 4 MiB of cosines.
  private static let blockRows = 1_024
  private static let blockCentroids = 1_024

  let threads: Int

  /// - Parameters:
  ///   - source: Rows, brought to length one as they are read.
  ///   - centroids: `[K, D]`, of length one.
  /// - Returns: Of each row the centroid of the highest cosine, of equals the first.
  func assign(_ source: VectorSource, to centroids: Tensor) -> AssignedRows {
    let all = VectorSource(centroids)
    let tiles = all.blocks(of: Self.blockCentroids).map { ($0.lowerBound, all.matrix($0)) }
    let blocks = source.blocks(of: Self.blockRows)
    let assigned = OneThreadProducts.run {
      ParallelRows(blocks.count) { index in
        let rows = source.unitMatrix(blocks[index])
        var best = AssignedRows(
          cluster: [Int](repeating: 0, count: blocks[index].count),
          cosine: [Float](repeating: -.infinity, count: blocks[index].count))
        for (first, tile) in tiles {
          Self.improve(&best, with: Tensor.matmul(rows, tile, transposeB: true), first: first)
        }
        return best
      }.run(threads: threads)
    }
    return AssignedRows(
      cluster: assigned.flatMap(\.cluster), cosine: assigned.flatMap(\.cosine))
  }

  private static func improve(_ best: inout AssignedRows, with cosines: Tensor, first: Int) {
    let width = cosines.shape[1]
    cosines.withSpan { span in
      for row in best.cosine.indices {
        var (cluster, cosine) = (best.cluster[row], best.cosine[row])
        let values = span.extracting(row * width..<(row + 1) * width)
        for index in values.indices where values[index] > cosine {
          (cluster, cosine) = (first + index, values[index])
        }
        (best.cluster[row], best.cosine[row]) = (cluster, cosine)
      }
    }
  }
}
