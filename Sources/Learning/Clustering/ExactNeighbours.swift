import Synchronization
public import TensorEngine
import WorkerThreads

/// A row and its product with a query.
public struct Neighbour: Sendable, Equatable {
  public var row: Int
  public var score: Float

  public init(row: Int, score: Float) {
    self.row = row
    self.score = score
  }

  /// The order of results: the higher score first, of equals the lower row.
  static func isBefore(_ one: Neighbour, _ other: Neighbour) -> Bool {
    one.score != other.score ? one.score > other.score : one.row < other.row
  }
}

/// The best rows of all for some queries, by looking at every row.
///
/// Blocks of rows are multiplied with the queries, each on one thread; the same rows and queries give the same
/// results on any number of threads. Costs Q · N · D multiplications and reads each row once.
public enum ExactNeighbours {
  /// Rows that are multiplied at a time: 512 KiB of 256 floats each, which stays in a core's own cache.
  static let blockRows = 256
  /// Up to so many queries a product per row is faster than a matrix product, which packs the rows first.
  static let fewQueries = 4

  /// The `top` rows of the highest cosine with each query, the highest first, ties by row.
  ///
  /// - Parameters:
  ///   - queries: `[Q, D]`, rows of length one.
  ///   - source: N rows of width D, whose products are divided by their lengths.
  ///   - top: Results of a query; fewer where there are fewer rows.
  ///   - threads: Cores to use.
  /// - Returns: The results of each query. A score that is not a number is no result.
  public static func search(
    _ queries: Tensor, in source: VectorSource, top: Int, threads: Int
  ) -> [[Neighbour]] {
    precondition(top > 0, "the best \(top)")
    let count = queries.shape[0]
    let found = Mutex([[Neighbour]](repeating: [], count: count))
    forEachBlock(queries, source, threads: threads, normalizes: false) {
      [BestNeighbours](repeating: BestNeighbours(top), count: count)
    } block: { best, rows, matrix, scores in
      // While the rows are in the cache; a scaled copy of them would cost a pass more.
      let inverses = matrix.inverseLengths(width: source.width)
      for query in 0..<count {
        for (place, row) in rows.enumerated() {
          best[query].offer(row, scores[query * rows.count + place] * inverses[place])
        }
      }
    } finish: { best in
      found.withLock { found in
        for query in 0..<count { found[query] += best[query].heap }
      }
    }
    return found.withLock { found in
      found.map { Array($0.sorted(by: Neighbour.isBefore).prefix(top)) }
    }
  }

  /// The rows whose cosine with each query is above `threshold`, by row.
  ///
  /// - Parameters:
  ///   - threshold: Excluded.
  ///   - queries: `[Q, D]`, rows of length one.
  ///   - source: N rows of width D, which are brought to length one.
  ///   - most: Rows of a query that are kept.
  ///   - threads: Cores to use.
  /// - Returns: The rows of each query.
  public static func above(
    _ threshold: Float, _ queries: Tensor, in source: VectorSource, most: Int = 10_000,
    threads: Int
  ) -> [[Neighbour]] {
    let count = queries.shape[0]
    let found = Mutex([[Neighbour]](repeating: [], count: count))
    forEachBlock(queries, source, threads: threads, normalizes: true) {
      [[Neighbour]](repeating: [], count: count)
    } block: { near, rows, _, scores in
      for query in 0..<count {
        for (place, row) in rows.enumerated() {
          let score = scores[query * rows.count + place]
          if score > threshold, near[query].count < most {
            near[query].append(Neighbour(row: row, score: score))
          }
        }
      }
    } finish: { near in
      found.withLock { found in
        for query in 0..<count { found[query] += near[query] }
      }
    }
    return found.withLock { found in
      found.map { Array($0.sorted { $0.row < $1.row }.prefix(most)) }
    }
  }

  /// Multiplies the queries with every block of rows; each thread has a state of its own.
  private static func forEachBlock<State>(
    _ queries: Tensor, _ source: VectorSource, threads: Int, normalizes: Bool,
    start: @Sendable () -> State,
    block: @Sendable (inout State, Range<Int>, Tensor, Span<Float>) -> Void,
    finish: @Sendable (State) -> Void
  ) {
    precondition(
      queries.shape.count == 2 && queries.shape[1] == source.width,
      "queries of shape \(queries.shape) among vectors of \(source.width)")
    let blocks = source.blocks(of: blockRows)
    let lanes = max(1, min(threads, blocks.count))
    OneThreadProducts.run {
      Parallel.forEach(lanes, threads: lanes) { lane in
        var state = start()
        // Neighbouring blocks to one thread: the system reads ahead.
        for index in blocks.count * lane / lanes..<blocks.count * (lane + 1) / lanes {
          let rows = blocks[index]
          let matrix = normalizes ? source.unitMatrix(rows) : source.matrix(rows)
          let scores =
            queries.shape[0] <= fewQueries
            ? products(queries, matrix) : Tensor.matmul(queries, matrix, transposeB: true)
          scores.withSpan { block(&state, rows, matrix, $0) }
        }
        finish(state)
      }
    }
  }

  /// `[Q, R]`, a product per row and query.
  private static func products(_ queries: Tensor, _ rows: Tensor) -> Tensor {
    let (count, width) = (rows.shape[0], rows.shape[1])
    var scores = Tensor(uninitialized: [queries.shape[0], count])
    scores.withMutableSpan { scores in
      queries.withSpan { queries in
        rows.withSpan { rows in
          for query in 0..<queries.count / width {
            let one = queries.extracting(query * width..<(query + 1) * width)
            for row in 0..<count {
              scores[query * count + row] =
                one.product(with: rows.extracting(row * width..<(row + 1) * width))
            }
          }
        }
      }
    }
    return scores
  }
}

/// Matrix products that take one thread each, while several threads compute.
enum OneThreadProducts {
  /// Runs `body` with OpenBLAS on one thread a call, so that a product's sums do not depend on how many cores
  /// there are.
  static func run<R>(_ body: () -> R) -> R {
    let threads = TensorThreads.current
    TensorThreads.set(1)
    defer { TensorThreads.set(threads) }
    return body()
  }
}
