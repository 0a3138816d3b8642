public import PairDataset

/// A scorer that is fast about the score, and exact where it is asked to be.
///
/// `outcomes(of:)` gives scores of kind `int8`; decisions by them are those of exact ones only where what
/// lies near the cut is scored again, which an audited cut sees to. Its name and provenance say so.
public protocol RescoringPairScorer: PairScorer {
  /// The exact scores, of kind `float32`, of pairs that have a score of bytes.
  ///
  /// - Throws: What a pair lacks that had a score before.
  func exactScores(of pairs: [Pair]) async throws -> [Float]
}
