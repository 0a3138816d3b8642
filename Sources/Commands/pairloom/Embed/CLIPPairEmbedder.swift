import CLIPModel
import CLIPTraining
import PairDataset
import PipelineCore
import WorkerThreads

/// A trained CLIP as the pipeline's embedder.
///
/// Equal pictures and equal captions are encoded once; a pair's vectors have the same bits in any company
/// (``CLIPScorer``).
final class CLIPPairEmbedder: PairEmbedder {
  var name: String { opened.name }
  var provenance: [String: String] { opened.provenance }
  var width: Int { scorer.width }
  private let opened: OpenedScorer
  private var scorer: CLIPScorer { opened.scorer }

  /// Opens the weights that a command names, as ``OpenedScorer`` does.
  init(
    model: String, configuration: String?, activation: Activation? = nil,
    cache: String? = nil, threads: Int
  ) throws {
    opened = try OpenedScorer(
      model: model, configuration: configuration, activation: activation, cache: cache,
      threads: threads)
  }

  func embeddings(of pairs: [Pair]) async throws -> [PairEmbedding] {
    try await Parallel.detached { [self] in
      try scorer.pairFeatures(of: pairs).map { features in
        switch features.image {
        case .success(let image): PairEmbedding(image: image, text: features.text)
        case .failure(let fault): PairEmbedding(fault: "\(fault)", text: features.text)
        }
      }
    }
  }

  /// Writes the features that the cache on the disk does not have yet.
  func flushCache() throws { try scorer.flushCache() }

  /// The vector of a text.
  func vector(of text: String) throws -> [Float] {
    // A pair without a picture: its text has a vector all the same.
    try scorer.pairFeatures(of: [Pair(key: "query", caption: text, image: [], metadata: [])])[0]
      .text
  }

  /// The vector of a picture.
  ///
  /// - Throws: `PictureFault`.
  func vector(of image: [UInt8]) throws -> [Float] {
    try scorer.pairFeatures(of: [Pair(key: "query", caption: "", image: image, metadata: [])])[0]
      .image.get()
  }

  /// Refuses to embed what a scorer of scenes was never taught.
  func requireItsDomain(of shards: [String]) throws {
    try opened.requireItsDomain(try ShardCaptions.first(of: shards))
  }
}
