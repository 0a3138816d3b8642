public import EmbeddingFiles

/// What counts as a semantic duplicate, and which of several stays.
public struct SemanticRules: Sendable, Equatable {
  /// The order within a cluster; who comes first stays.
  public enum Keep: String, Sendable, CaseIterable {
    /// The least like the centroid first, which is the reference's default.
    case hard
    /// The most like the centroid first.
    case easy
    /// The earlier row first.
    case first
  }

  /// A row is a duplicate where its cosine with one in front of it is above 1 − ε.
  public var epsilon: Double
  /// Nil for one in a thousand rows.
  public var clusters: Int?
  public var keep = Keep.hard
  public var tower = EmbeddingFolder.Tower.image
  public var seed: UInt64 = 0

  public init(epsilon: Double) {
    precondition((0...2).contains(epsilon), "an epsilon of \(epsilon)")
    self.epsilon = epsilon
  }

  /// The cosine above which rows are duplicates.
  public var threshold: Float { Float(1 - epsilon) }

  /// The clusters for so many rows.
  public func clusterCount(rows: Int) -> Int { max(1, clusters ?? (rows + 999) / 1_000) }
}
