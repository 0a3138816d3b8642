import CLIPModel
import CLIPTraining
import ContentHashing
import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import SceneWorld
import TensorEngine
import WorkerThreads

/// A trained CLIP as the pipeline's embedder.
///
/// Equal pictures and equal captions are encoded once; a pair's vectors have the same bits in any company
/// (``CLIPScorer``).
final class CLIPPairEmbedder: PairEmbedder {
  let name: String
  let provenance: [String: String]
  private let scorer: CLIPScorer

  var width: Int { scorer.width }

  /// Opens the weights that a command names.
  ///
  /// - Parameters:
  ///   - model: `scenes` for the bundled scorer, or what ``CLIPBundle`` reads.
  ///   - configuration: Of weights without a folder: an open_clip name or a JSON file.
  ///   - activation: Of weights that do not say it.
  ///   - cache: A folder in which features are kept; nil keeps none but those in memory.
  ///   - threads: Cores to use.
  /// - Throws: What the files lack.
  init(
    model: String, configuration: String?, activation: Activation? = nil,
    cache: String? = nil, threads: Int
  ) throws {
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("pairloom-scorer.\(UUID().uuidString)").path
    let isBundled = model == CLIPPairScorer.bundledName
    let folder = isBundled ? try CLIPPairScorer.unpackBundled(into: scratch) : model
    defer {
      // In the folder of temporary files, which the system clears where this cannot.
      if isBundled { try? FileManager.default.removeItem(atPath: scratch) }
    }
    TensorThreads.set(threads)
    scorer = try CLIPScorer(
      folderOrWeights: folder, configuration: configuration, activation: activation,
      cacheFolder: cache)
    name = CLIPPairScorer.name(of: model)
    var provenance = [
      "weights": scorer.weightsHash, "configuration": configuration ?? "its own",
    ]
    for file in ["model.json", "tokenizer.merges"] where DurableFile.exists("\(folder)/\(file)") {
      provenance[file] = ContentHash.sha256Hex(try DurableFile.read("\(folder)/\(file)"))
    }
    self.provenance = provenance
  }

  func embeddings(of pairs: [Pair]) async throws -> [PairEmbedding] {
    try await Parallel.detached { [self] in
      scorer.pairFeatures(of: pairs).map { features in
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
  func vector(of text: String) -> [Float] {
    // A pair without a picture: its text has a vector all the same.
    scorer.pairFeatures(of: [Pair(key: "query", caption: text, image: [], metadata: [])])[0].text
  }

  /// The vector of a picture.
  ///
  /// - Throws: `ImageError`.
  func vector(of image: [UInt8]) throws -> [Float] {
    try scorer.pairFeatures(of: [Pair(key: "query", caption: "", image: image, metadata: [])])[0]
      .image.get()
  }

  /// Refuses to embed what a scorer of scenes was never taught.
  func requireItsDomain(of shards: [String]) throws {
    guard scorer.domain == CLIPPairScorer.bundledName, let first = shards.first else { return }
    let shard = try ShardReader(path: first)
    let captions = try (0..<min(100, shard.count)).map { try shard.pair(at: $0).caption }
    let foreign = captions.filter { !SceneWorld.couldCaption($0) }
    // As for scores: one in twenty leaves room for a list that was edited by hand.
    guard foreign.count * 20 > captions.count, let example = foreign.first else { return }
    throw CommandError(
      "\(name) knows the demo's scenes only, and \(foreign.count) of \(captions.count) captions are of another"
        + " kind, such as \"\(example.prefix(60))\". Name a CLIP with --model WEIGHTS --model-config NAME, or"
        + " force it with --force-scorer.")
  }
}
