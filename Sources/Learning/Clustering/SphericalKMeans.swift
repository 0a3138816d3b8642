import SeededRandom
public import TensorEngine

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

    public init(iteration: Int, cosine: Double) {
      self.iteration = iteration
      self.cosine = cosine
    }
  }

  /// Where it stands after a pass: going on from here comes to the same end, bit for bit.
  public struct State: Sendable {
    public var step: Step
    /// `[K, D]`, moved by the pass.
    public var centroids: Tensor

    public init(step: Step, centroids: Tensor) {
      self.step = step
      self.centroids = centroids
    }
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
    run(source, from: nil, onStep: onStep) { _ in }
  }

  /// The same, from where an earlier call stood.
  ///
  /// - Parameters:
  ///   - source: N rows of width D; brought to length one as they are read.
  ///   - state: Of a call with the same rows and options; nil begins.
  ///   - onStep: Told of every pass.
  ///   - onState: Given what to go on from, after every pass but the last.
  /// - Returns: At most N clusters.
  /// - Throws: What `onStep` and `onState` throw.
  public func run(
    _ source: VectorSource, from state: State?, onStep: (Step) throws -> Void,
    onState: (State) throws -> Void
  ) rethrows -> ClusteredRows {
    let count = min(clusters, max(1, source.count))
    var random = RandomStream(seed: seed)
    let order = random.permutation(of: source.count)
    let sampled = order.prefix(min(source.count, sampleRows.multipliedOrMax(by: count))).sorted()
    let sample = sampled.count == source.count ? source : source.rows(sampled)
    var centroids =
      state?.centroids
      ?? source.rows(Array(order.prefix(count))).unitMatrix(0..<min(count, source.count))
    let assigner = ClusterAssigner(threads: threads)
    var last = state?.step.cosine ?? -Double.infinity
    let first = (state?.step.iteration ?? 0) + 1
    for iteration in stride(from: first, through: max(1, iterations), by: 1) {
      guard source.count > 0 else { break }
      let assigned = assigner.assign(sample, to: centroids)
      let cosine = assigned.meanCosine
      let step = Step(iteration: iteration, cosine: cosine)
      try onStep(step)
      if iteration > 1, cosine - last <= tolerance * abs(last) { break }
      last = cosine
      centroids = updated(sample, assigned, count: count)
      try onState(State(step: step, centroids: centroids))
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
