public import EmbeddingFiles
import SeededRandom

/// Why a row is dropped.
public struct SemanticFate: Sendable, Equatable {
  /// The nearest row in front of it in its cluster, and the cosine: the reason.
  public var match: Int
  public var cosine: Float
  /// The row that is kept in its stead: the match, or what stays in the match's stead.
  public var survivor: Int

  public init(match: Int, cosine: Float, survivor: Int) {
    self.match = match
    self.cosine = cosine
    self.survivor = survivor
  }
}

/// Two rows that stay, and how near they are.
public struct SemanticMiss: Sendable, Equatable {
  public var row: Int
  /// In front of it, in its cluster.
  public var match: Int
  public var cosine: Float

  public init(row: Int, match: Int, cosine: Float) {
    self.row = row
    self.match = match
    self.cosine = cosine
  }
}

/// How much of what lies near within clusters alone was found, on a sample.
public struct SemanticAudit: Sendable, Equatable, Codable {
  /// Rows that were held against all others.
  public var rows = 0
  /// Pairs of one of them and another row above the threshold, and those of them within one cluster.
  public var near = 0
  public var found = 0

  public init() {}

  public var recall: Double { near == 0 ? 1 : Double(found) / Double(near) }
}

/// Decides which rows of embeddings are semantic duplicates.
///
/// Rows are clustered; within a cluster they are put in order, and a row goes where one in front of it is nearer
/// than the threshold, whether that one stays or not. Pairs that lie in different clusters are not seen; the
/// audit tells how many. Costs N · K · D for clusters and N · M · D for pairs within them, M the rows of a cluster.
///
/// Source: Abbas et al., SemDeDup (arXiv:2303.09540), algorithm A7.
public struct SemanticJudgement: Sendable {
  public let clusters: EmbeddingClusters
  /// By row; rows without stay.
  public let fates: [Int: SemanticFate]
  /// Rows that stay and are nearly duplicates of one in front of them, the nearest first.
  public let misses: [SemanticMiss]

  /// How far below the threshold a cosine counts as nearly one.
  private static let margin: Float = 0.05
  /// Of ``misses``, as many as a person looks at.
  private static let mostMisses = 24

  /// What is under way.
  public enum Progress: Sendable {
    case clustering(pass: Int, cosine: Double)
    case comparing(clusters: Int)
  }

  public init(
    _ rows: EmbeddingRows, rules: SemanticRules, by clusterer: any EmbeddingClusterer,
    onProgress: (Progress) -> Void = { _ in }
  ) throws {
    try self.init(rows, rules: rules, by: clusterer, work: nil, onProgress: onProgress)
  }

  /// - Parameters:
  ///   - rows: To be judged.
  ///   - rules: By which.
  ///   - clusterer: Computes.
  ///   - work: Where the clustering is kept for a later call; nil keeps nothing.
  ///   - onProgress: Told of passes.
  /// - Throws: What the disk refuses.
  init(
    _ rows: EmbeddingRows, rules: SemanticRules, by clusterer: any EmbeddingClusterer,
    work: ClusteringWork?, onProgress: (Progress) -> Void
  ) throws {
    let count = rules.clusterCount(rows: rows.count)
    let clusters: EmbeddingClusters
    if let known = try work?.clusters(rows: rows.count, width: rows.width) {
      clusters = known
    } else {
      clusters = try clusterer.clusters(
        of: rows, count: count, seed: rules.seed,
        from: try work?.state(count: count, width: rows.width)
      ) {
        onProgress(.clustering(pass: $0, cosine: $1))
      } onState: {
        try work?.write($0)
      }
      try work?.write(clusters, width: rows.width)
    }
    let lists = Self.lists(clusters, keep: rules.keep)
    onProgress(.comparing(clusters: lists.count))
    // The nearest above a lower bound is the nearest above the threshold, where there is one.
    let matches = clusterer.nearestInFront(
      lists: lists, of: rows, above: rules.threshold - Self.margin)
    var fates: [Int: SemanticFate] = [:]
    var misses: [SemanticMiss] = []
    for (list, found) in zip(lists, matches) {
      // Who is in front is decided first, so its survivor is known.
      for (place, match) in found.sorted(by: { $0.key < $1.key }) {
        let front = list[match.number]
        guard match.cosine > rules.threshold else {
          misses.append(SemanticMiss(row: list[place], match: front, cosine: match.cosine))
          continue
        }
        fates[list[place]] = SemanticFate(
          match: front, cosine: match.cosine, survivor: fates[front]?.survivor ?? front)
      }
    }
    self.clusters = clusters
    self.fates = fates
    self.misses = Array(
      misses.filter { fates[$0.match] == nil }
        .sorted { (-$0.cosine, $0.row) < (-$1.cosine, $1.row) }.prefix(Self.mostMisses))
  }

  /// The rows of each cluster in the order that counts.
  static func lists(_ clusters: EmbeddingClusters, keep: SemanticRules.Keep) -> [[Int]] {
    let count = (clusters.cluster.max() ?? -1) + 1
    var lists = [[Int]](repeating: [], count: count)
    for (row, cluster) in clusters.cluster.enumerated() { lists[cluster].append(row) }
    let cosine = clusters.cosine
    return lists.map { rows in
      switch keep {
      case .first: rows
      case .hard: rows.sorted { (cosine[$0], $0) < (cosine[$1], $1) }
      case .easy: rows.sorted { (-cosine[$0], $0) < (-cosine[$1], $1) }
      }
    }
  }

  /// Holds some rows against all others.
  ///
  /// - Parameters:
  ///   - rows: Those that were judged.
  ///   - rules: By which they were judged.
  ///   - clusterer: That clustered them.
  ///   - most: Rows that are held against all, drawn by the seed.
  /// - Returns: How many of the pairs above the threshold lie within one cluster.
  public func audit(
    _ rows: EmbeddingRows, rules: SemanticRules, by clusterer: any EmbeddingClusterer, most: Int
  ) -> SemanticAudit {
    var random = RandomStream(seed: rules.seed, path: 1)
    let sample = random.permutation(of: rows.count).prefix(most).sorted()
    var audit = SemanticAudit()
    audit.rows = sample.count
    guard !sample.isEmpty else { return audit }
    let found = clusterer.rows(near: sample, of: rows, above: rules.threshold)
    for (row, near) in zip(sample, found) {
      for match in near where match.number != row {
        audit.near += 1
        if clusters.cluster[match.number] == clusters.cluster[row] { audit.found += 1 }
      }
    }
    return audit
  }
}
