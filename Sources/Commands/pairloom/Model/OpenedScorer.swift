import CLIPModel
import CLIPTraining
import SceneWorld
import TensorEngine

/// The model that a recipe or a command names, opened for scores and for embeddings alike.
struct OpenedScorer {
  let name: String
  let provenance: [String: String]
  let scorer: CLIPScorer

  /// - Parameters:
  ///   - model: `scenes` for the bundled scorer, a folder that training wrote, or weights of another
  ///     library.
  ///   - configuration: Of weights without a folder: an open_clip name or a JSON file.
  ///   - activation: Of weights that do not say it.
  ///   - precision: What the usual scores are computed in.
  ///   - scratch: Where the bundled scorer is unpacked and stays; nil for a folder that goes once it is read.
  ///   - cache: A folder in which features are kept; nil keeps none but those in memory.
  ///   - threads: Cores to use.
  /// - Throws: What the files lack.
  init(
    model: String, configuration: String?, activation: Activation?,
    precision: ScoringPrecision = .float32, scratch: String? = nil, cache: String?, threads: Int
  ) throws {
    TensorThreads.set(threads)
    scorer = try BundledScorer.withFolder(of: model, scratch) { folder in
      try CLIPScorer(
        folderOrWeights: folder, configuration: configuration, activation: activation,
        precision: precision, cacheFolder: cache, squares: SquareSandbox.init)
    }
    name = CLIPPairScorer.name(of: model) + (precision == .int8 ? "-int8" : "")
    // Scores of both are never taken for each other's.
    provenance =
      precision == .int8
      ? scorer.provenance.merging(["precision": "int8, audited"]) { $1 } : scorer.provenance
  }

  /// Refuses what a scorer of scenes was never taught.
  ///
  /// - Parameter captions: Some captions of the data.
  /// - Throws: ``CommandError``, which names one of the captions.
  func requireItsDomain(_ captions: [String]) throws {
    guard scorer.domain == BundledScorer.name else { return }
    let foreign = captions.filter { !SceneWorld.couldCaption($0) }
    // A generated list holds none; one in twenty leaves room for a list that was edited by hand.
    guard foreign.count * 20 > captions.count, let example = foreign.first else { return }
    throw CommandError(
      "\(name) knows the demo's scenes only, and \(foreign.count) of \(captions.count) "
        + "captions are of another kind, such as \"\(example.prefix(60))\". Name a CLIP with "
        + "--model WEIGHTS --model-config NAME, or force it with --force-scorer.")
  }
}
