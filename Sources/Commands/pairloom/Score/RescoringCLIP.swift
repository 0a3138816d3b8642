import CLIPTraining
import PairDataset
import PipelineCore
import TensorEngine
import WorkerThreads

/// A CLIP whose scores are of bytes, and in Float where they decide.
struct RescoringCLIP: RescoringPairScorer {
  let clip: CLIPPairScorer
  var name: String { clip.name }
  var provenance: [String: String] { clip.provenance }
  var facts: [String: String] { clip.facts }

  /// - Parameter clip: Opened for int8.
  init(_ clip: CLIPPairScorer) {
    precondition(clip.scorer.precision == .int8, "\(clip.name) scores in float32 alone")
    self.clip = clip
  }

  func scores(of pairs: [Pair]) async throws -> [Float] { try await clip.scores(of: pairs) }

  func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await clip.outcomes(of: pairs)
  }

  func exactScores(of pairs: [Pair]) async throws -> [Float] {
    try await Parallel.detached { try clip.scorer.scores(of: pairs, in: .float32) }
  }
}
