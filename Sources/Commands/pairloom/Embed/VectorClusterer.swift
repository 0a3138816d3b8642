import Clustering
import EmbeddingFiles
import SemanticDeduplication
import TensorEngine

/// Clusters of embeddings by the tensor engine.
struct VectorClusterer: EmbeddingClusterer {
  var threads: Int
  var iterations = 50

  func clusters(
    of rows: EmbeddingRows, count: Int, seed: UInt64, from state: ClusteringState?,
    onProgress: (Int, Double) -> Void, onState: (ClusteringState) throws -> Void
  ) throws -> EmbeddingClusters {
    var means = SphericalKMeans(clusters: count, threads: threads)
    means.seed = seed
    means.iterations = iterations
    let begun = state.map { state in
      SphericalKMeans.State(
        step: .init(iteration: state.pass, cosine: state.cosine),
        centroids: Tensor(
          shape: [state.centroids.count / rows.width, rows.width], state.centroids))
    }
    let found = try means.run(VectorSource(rows), from: begun) {
      onProgress($0.iteration, $0.cosine)
    } onState: { state in
      try onState(
        ClusteringState(
          pass: state.step.iteration, cosine: state.step.cosine, centroids: state.centroids.values))
    }
    return EmbeddingClusters(
      cluster: found.cluster, cosine: found.cosine, centroids: found.centroids.values)
  }

  func nearestInFront(
    lists: [[Int]], of rows: EmbeddingRows, above threshold: Float
  ) -> [[Int: EmbeddingMatch]] {
    EarlierNeighbours.find(
      lists: lists, in: VectorSource(rows), above: threshold, threads: threads
    ).map { found in
      found.mapValues { EmbeddingMatch(number: $0.row, cosine: $0.score) }
    }
  }

  func rows(
    near queries: [Int], of rows: EmbeddingRows, above threshold: Float
  ) -> [[EmbeddingMatch]] {
    let source = VectorSource(rows)
    return ExactNeighbours.above(
      threshold, source.rows(queries).unitMatrix(0..<queries.count), in: source, threads: threads
    ).map { found in found.map { EmbeddingMatch(number: $0.row, cosine: $0.score) } }
  }
}

extension VectorSource {
  /// The rows of files, as they are read.
  init(_ rows: EmbeddingRows) {
    self.init(count: rows.count, width: rows.width) { range, floats, offset in
      rows.copy(range, to: &floats, at: offset)
    }
  }
}
