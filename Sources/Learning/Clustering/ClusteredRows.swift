public import TensorEngine

/// Rows and the clusters to which they belong.
public struct ClusteredRows: Sendable {
  /// `[K, D]`, rows of length one.
  public var centroids: Tensor
  /// By row, below K.
  public var cluster: [Int]
  /// By row, with its centroid.
  public var cosine: [Float]

  public var clusters: Int { centroids.shape[0] }

  /// The rows of each cluster, ascending.
  public var members: [[Int]] {
    var members = [[Int]](repeating: [], count: clusters)
    for (row, cluster) in cluster.enumerated() { members[cluster].append(row) }
    return members
  }
}

/// What rows were assigned to.
struct AssignedRows: Sendable {
  var cluster: [Int]
  var cosine: [Float]

  /// Summed in Double in the order of rows.
  var meanCosine: Double {
    cosine.reduce(0.0) { $0 + Double($1) } / Double(max(1, cosine.count))
  }
}

/// Rows grouped by cluster.
struct ClusterMembers: Sendable {
  private let starts: [Int]
  private let grouped: [Int]

  init(_ cluster: [Int], clusters: Int) {
    var starts = [Int](repeating: 0, count: clusters + 1)
    for cluster in cluster { starts[cluster + 1] += 1 }
    for cluster in 0..<clusters { starts[cluster + 1] += starts[cluster] }
    var next = starts
    var grouped = [Int](repeating: 0, count: cluster.count)
    for (row, cluster) in cluster.enumerated() {
      grouped[next[cluster]] = row
      next[cluster] += 1
    }
    self.starts = starts
    self.grouped = grouped
  }

  /// Ascending.
  func rows(of cluster: Int) -> ArraySlice<Int> {
    grouped[starts[cluster]..<starts[cluster + 1]]
  }

  /// For each cluster without rows a row to begin anew with: those that fit their own clusters worst, ties by
  /// row, none of which is alone in its cluster.
  func strays(of rows: AssignedRows) -> [Int: Int] {
    let empty = (0..<starts.count - 1).filter { starts[$0] == starts[$0 + 1] }
    guard !empty.isEmpty else { return [:] }
    var left = (0..<starts.count - 1).map { starts[$0 + 1] - starts[$0] }
    var strays: [Int: Int] = [:]
    var next = 0
    for row in rows.cosine.indices.sorted(by: {
      (rows.cosine[$0], $0) < (rows.cosine[$1], $1)
    }) where next < empty.count && left[rows.cluster[row]] > 1 {
      left[rows.cluster[row]] -= 1
      strays[empty[next]] = row
      next += 1
    }
    return strays
  }
}
