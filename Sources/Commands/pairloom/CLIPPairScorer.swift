import AuditedScores
import CLIPModel
import CLIPTraining
import PairDataset
import PipelineCore
import TensorEngine
import WorkerThreads

/// A trained CLIP as the pipeline's scorer: the place where the two columns of the program meet.
struct CLIPPairScorer: PairScorer {
  var name: String { opened.name }
  var provenance: [String: String] { opened.provenance }
  private let opened: OpenedScorer
  var scorer: CLIPScorer { opened.scorer }

  /// Opens the weights that a recipe or a command names, as ``OpenedScorer`` does.
  init(
    model: String, configuration: String?, activation: Activation? = nil,
    precision: ScoringPrecision = .float32, scratch: String? = nil, cache: String? = nil,
    threads: Int = Parallel.coreCount
  ) throws {
    opened = try OpenedScorer(
      model: model, configuration: configuration, activation: activation, precision: precision,
      scratch: scratch, cache: cache, threads: threads)
  }

  private var products: ProductPrecision { scorer.precision == .int8 ? .int8 : .float32 }

  func scores(of pairs: [Pair]) async throws -> [Float] {
    try await Parallel.detached { try scorer.scores(of: pairs, in: products) }
  }

  /// Pairs whose pictures do not decode are outcomes without a score.
  func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await Parallel.detached {
      // Who scores in Float alone says so in the footer.
      let kind = scorer.precision == .int8 ? ScoreKind.int8.rawValue : nil
      return try scorer.outcomes(of: pairs, in: products).map { outcome in
        switch outcome {
        case .success(let score): PairScore(score, kind: kind)
        case .failure(let fault): PairScore(.undecodable("\(fault)"))
        }
      }
    }
  }

  /// Finds the batches for this machine, and says which.
  func calibrate(_ cache: FeatureCacheOptions) throws {
    Terminal.note("\(name): \(try scorer.calibrate(folder: cache.featureCache))")
  }

  /// Writes the features that the cache on the disk does not have yet.
  func flushCache() throws { try scorer.flushCache() }

  /// Refuses to score what a scorer of scenes was never taught.
  ///
  /// - Parameter captions: Some captions of the data.
  /// - Throws: ``CommandError``, which names one of the captions.
  func requireItsDomain(_ captions: [String]) throws {
    try opened.requireItsDomain(captions)
  }

  static func name(of model: String) -> String {
    let last = model.split(separator: "/").last.map(String.init) ?? model
    let stem = last.hasSuffix(".safetensors") ? String(last.dropLast(12)) : last
    return String(stem.map { $0.isLetter || $0.isNumber || "-_".contains($0) ? $0 : "_" })
  }
}
