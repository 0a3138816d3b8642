import TensorEngine
import WorkerThreads

/// Finds for each of some rows, in a given order, the nearest one in front of it: the heart of SemDeDup.
///
/// Costs M² · D / 2 multiplications for M rows, in memory for two blocks of them a thread.
///
/// Source: Abbas et al., SemDeDup (arXiv:2303.09540), algorithm A7.
public enum EarlierNeighbours {
  private static let blockRows = 512

  /// - Parameters:
  ///   - rows: In the order that counts.
  ///   - source: What they are rows of; brought to length one as they are read.
  ///   - threshold: The cosine above which a row counts as near.
  ///   - threads: Cores to use; of no influence on the result.
  /// - Returns: By place in `rows`, the place of the nearest row in front of it and the cosine; of equals
  ///   the first. Only those above the threshold.
  public static func find(
    _ rows: [Int], in source: VectorSource, above threshold: Float, threads: Int
  ) -> [Int: Neighbour] {
    let ordered = source.rows(rows)
    let blocks = ordered.blocks(of: blockRows)
    let found = OneThreadProducts.run {
      // The last block has most in front of it: it goes first, and every thread gets its share of the long ones.
      ParallelRows(blocks.count) { number in
        find(blocks[blocks.count - 1 - number], blocks, ordered, threshold)
      }.run(threads: threads)
    }
    return Dictionary(found.flatMap { $0 }, uniquingKeysWith: { first, _ in first })
  }

  /// The same for several lists of rows, such as clusters, several lists at a time.
  public static func find(
    lists: [[Int]], in source: VectorSource, above threshold: Float, threads: Int
  ) -> [[Int: Neighbour]] {
    guard lists.count >= 4 * threads else {
      return lists.map { find($0, in: source, above: threshold, threads: threads) }
    }
    return OneThreadProducts.run {
      ParallelRows(lists.count) { index in
        let ordered = source.rows(lists[index])
        let blocks = ordered.blocks(of: blockRows)
        return Dictionary(
          blocks.flatMap { find($0, blocks, ordered, threshold) },
          uniquingKeysWith: { first, _ in first })
      }.run(threads: threads)
    }
  }

  private static func find(
    _ block: Range<Int>, _ blocks: [Range<Int>], _ ordered: VectorSource, _ threshold: Float
  ) -> [(Int, Neighbour)] {
    let own = ordered.unitMatrix(block)
    var best = [Neighbour](
      repeating: Neighbour(row: -1, score: threshold), count: block.count)
    for other in blocks where other.lowerBound <= block.lowerBound {
      let cosines = Tensor.matmul(
        own, other == block ? own : ordered.unitMatrix(other), transposeB: true)
      cosines.withSpan { span in
        for (row, place) in block.enumerated() {
          let end = min(other.count, place - other.lowerBound)
          guard end > 0 else { continue }
          let values = span.extracting(row * other.count..<row * other.count + end)
          for index in values.indices where values[index] > best[row].score {
            best[row] = Neighbour(row: other.lowerBound + index, score: values[index])
          }
        }
      }
    }
    return zip(block, best).filter { $1.row >= 0 }.map { ($0, $1) }
  }
}
