public import PairDataset
import TensorEngine

extension CLIPScorer {
  /// Decides which pairs a cut keeps, as scores in Float would, mostly by scores of bytes.
  ///
  /// - Parameters:
  ///   - pairs: All pairs that the cut is about.
  ///   - uids: Of the pairs; they choose the sample.
  ///   - cut: What is kept.
  ///   - audit: How the bound is measured; nil takes the one that the scorer was opened with.
  /// - Returns: Scores of both kinds, the decisions, and what the audit found.
  /// - Throws: ``UndecodablePair``.
  public func decide(
    _ pairs: [Pair], uids: [String], cut: ScoreCut, audit: ScoreAudit? = nil
  ) throws(UndecodablePair) -> AuditedCut.Result {
    guard case .int8(let own) = precision else {
      preconditionFailure("decide: the scorer was opened in float32 alone")
    }
    return try AuditedCut.decide(
      try scores(of: pairs, in: .int8), uids: uids, keys: pairs.map(\.key), cut: cut,
      audit: audit ?? own
    ) { places throws(UndecodablePair) in
      try scores(of: places.map { pairs[$0] }, in: .float32)
    }
  }
}
