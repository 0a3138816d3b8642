public import EmbeddingFiles

/// Vectors and the clusters to which they belong.
public struct EmbeddingClusters: Sendable, Equatable {
  /// By row, from 0.
  public var cluster: [Int]
  /// By row: the cosine with the cluster's centroid.
  public var cosine: [Float]
  /// One behind the other, each of length one.
  public var centroids: [Float]

  public init(cluster: [Int], cosine: [Float], centroids: [Float]) {
    precondition(cluster.count == cosine.count, "\(cluster.count) rows, \(cosine.count) cosines")
    self.cluster = cluster
    self.cosine = cosine
    self.centroids = centroids
  }
}

/// What lies near: a number and a cosine.
public struct EmbeddingMatch: Sendable, Equatable {
  public var number: Int
  public var cosine: Float

  public init(number: Int, cosine: Float) {
    self.number = number
    self.cosine = cosine
  }
}

/// Where a clustering stands after a pass: the same rows and options go on from here to the same end.
public struct ClusteringState: Sendable, Equatable {
  /// From 1.
  public var pass: Int
  /// The mean cosine that the pass found.
  public var cosine: Double
  /// One behind the other.
  public var centroids: [Float]

  public init(pass: Int, cosine: Double, centroids: [Float]) {
    self.pass = pass
    self.cosine = cosine
    self.centroids = centroids
  }
}

/// Computes with vectors: the way by which linear algebra reaches the pipeline, as models do by `PairScorer`.
///
/// The same vectors and options give the same results on any number of cores.
public protocol EmbeddingClusterer: Sendable {
  /// Clusters rows by cosine.
  ///
  /// - Parameters:
  ///   - rows: Of any length; their directions count.
  ///   - count: Clusters at most.
  ///   - seed: Of where to begin.
  ///   - state: What an earlier call for the same has given; nil begins.
  ///   - onProgress: Told the passes over the rows so far, and the mean cosine.
  ///   - onState: Given what to go on from, after each pass.
  /// - Returns: The cluster of every row.
  /// - Throws: What `onState` throws.
  func clusters(
    of rows: EmbeddingRows, count: Int, seed: UInt64, from state: ClusteringState?,
    onProgress: (Int, Double) -> Void, onState: (ClusteringState) throws -> Void
  ) throws -> EmbeddingClusters

  /// For each list of rows: by place in the list, the place of the nearest row in front of it whose cosine is
  /// above the threshold, of equals the first.
  func nearestInFront(
    lists: [[Int]], of rows: EmbeddingRows, above threshold: Float
  ) -> [[Int: EmbeddingMatch]]

  /// For each of some rows: all rows whose cosine with it is above the threshold, itself among them.
  func rows(
    near queries: [Int], of rows: EmbeddingRows, above threshold: Float
  ) -> [[EmbeddingMatch]]
}
