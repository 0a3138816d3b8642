import SeededRandom
import TensorEngine

/// k-means on the unit sphere: a row belongs to the centroid of the highest cosine.
///
/// Starts from rows drawn by the seed, trains on a drawn sample where there are many rows, and then assigns
/// all. Sums are taken cluster by cluster in the order of rows and products in blocks of fixed size, each on
/// one thread, so the same rows and options give the same bits on any number of threads. A cluster that loses
/// all its rows takes the row that fits its own cluster worst. Costs iterations · S · K · D multiplications for
/// S sampled rows, and N · K · D.
///
/// Source: Dhillon, Modha: Concept decompositions for large sparse text data (2001); the sample as in faiss.
public struct SphericalKMeans: Sendable {
  public var clusters: Int
  /// Passes over the sample at most.
  public var iterations = 50
  /// The relative gain of the mean cosine below which it ends.
  public var tolerance = 1e-4
  public var seed: UInt64 = 0
  /// Rows that it is trained on, for each cluster; all where there are fewer.
  public var sampleRows = 256
  public var threads: Int

  public init(clusters: Int, threads: Int) {
    precondition(clusters > 0, "\(clusters) clusters")
    self.clusters = clusters
    self.threads = threads
  }

  /// What a pass has come to.
  public struct Step: Sendable, Equatable {
    /// From 1.
    public var iteration: Int
    /// The mean cosine of a row and its centroid.
    public var cosine: Double
  }

  /// Finds centroids and assigns every row.
  ///
  /// - Parameters:
  ///   - source: N rows of width D; brought to length one as they are read.
  ///   - onStep: Told of every pass.
  /// - Returns: At most N clusters.
  public func run(
    _ source: VectorSource, onStep: (Step) -> Void = { _ in }
  ) -> ClusteredRows {
    let count = min(clusters, max(1, source.count))
    var random = RandomStream(seed: seed)
    let order = random.permutation(of: source.count)
    let sampled = order.prefix(min(source.count, sampleRows.multipliedOrMax(by: count))).sorted()
    let sample = sampled.count == source.count ? source : source.rows(sampled)
    var centroids = source.rows(Array(order.prefix(count))).unitMatrix(0..<min(count, source.count))
    let assigner = ClusterAssigner(threads: threads)
    var last = -Double.infinity
    for iteration in 1...max(1, iterations) {
      guard source.count > 0 else { break }
      let assigned = assigner.assign(sample, to: centroids)
      let cosine = assigned.meanCosine
      onStep(Step(iteration: iteration, cosine: cosine))
      if iteration > 1, cosine - last <= tolerance * abs(last) { break }
      last = cosine
      centroids = updated(sample, assigned, count: count)
    }
    let assigned = assigner.assign(source, to: centroids)
    return ClusteredRows(
      centroids: centroids, cluster: assigned.cluster, cosine: assigned.cosine)
  }

  /// The centroids of assigned rows, `[K, D]`.
  private func updated(_ source: VectorSource, _ rows: AssignedRows, count: Int) -> Tensor {
    let members = ClusterMembers(rows.cluster, clusters: count)
    let strays = members.strays(of: rows)
    let width = source.width
    var centroids = Tensor(shape: [count, width])
    let sums = ParallelRows(count) { cluster in
      if let stray = strays[cluster] {
        return source.unitMatrix(stray..<stray + 1).values
      }
      var sum = [Float](repeating: 0, count: width)
      for row in members.rows(of: cluster) {
        source.unitMatrix(row..<row + 1).withSpan { values in
          for index in 0..<width { sum[index] += values[index] }
        }
      }
      return sum
    }.run(threads: threads)
    centroids.withMutableSpan { span in
      for (cluster, sum) in sums.enumerated() {
        for index in 0..<width { span[cluster * width + index] = sum[index] }
      }
      UnitRows.normalize(&span, width: width)
    }
    return centroids
  }
}

extension Int {
  fileprivate func multipliedOrMax(by other: Int) -> Int {
    let (product, isOver) = multipliedReportingOverflow(by: other)
    return isOver ? .max : product
  }
}
