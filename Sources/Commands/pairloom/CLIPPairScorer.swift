import CLIPModel
import CLIPTraining
import ContentHashing
import DurableFiles
import PairDataset
import PipelineCore
import SceneWorld
import TensorEngine
import WorkerThreads

/// A trained CLIP as the pipeline's scorer: the place where the two columns of the program meet.
struct CLIPPairScorer: PairScorer {
  /// The name under which recipes ask for the scorer that is inside the program.
  static let bundledName = "scenes"

  let name: String
  let provenance: [String: String]
  var facts: [String: String] { scorer.facts }
  private let scorer: CLIPScorer

  /// Opens the weights that a recipe or a command names.
  ///
  /// - Parameters:
  ///   - model: `scenes` for the bundled scorer, a folder that training wrote, or weights of another
  ///     library.
  ///   - configuration: Of weights without a folder: an open_clip name or a JSON file.
  ///   - activation: Of weights that do not say it.
  ///   - scratch: Where the bundled scorer is unpacked.
  ///   - cache: A folder in which features are kept; nil keeps none but those in memory.
  /// - Throws: What the files lack.
  init(
    model: String, configuration: String?, activation: Activation? = nil, scratch: String,
    cache: String? = nil
  ) throws {
    let folder = model == Self.bundledName ? try Self.unpackBundled(into: scratch) : model
    TensorThreads.set(Parallel.coreCount)
    scorer = try CLIPScorer(
      folderOrWeights: folder, configuration: configuration, activation: activation,
      cacheFolder: cache)
    name = Self.name(of: model)
    var provenance = ["weights": scorer.weightsHash, "configuration": configuration ?? "its own"]
    for file in ["model.json", "tokenizer.merges"] where DurableFile.exists("\(folder)/\(file)") {
      provenance[file] = ContentHash.sha256Hex(try DurableFile.read("\(folder)/\(file)"))
    }
    self.provenance = provenance
  }

  func scores(of pairs: [Pair]) async throws -> [Float] {
    try await Parallel.detached { try scorer.scores(of: pairs) }
  }

  /// Pairs whose pictures do not decode are outcomes without a score.
  func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await Parallel.detached {
      scorer.outcomes(of: pairs).map { outcome in
        switch outcome {
        case .success(let score): PairScore(score)
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
    guard scorer.domain == Self.bundledName else { return }
    let foreign = captions.filter { !SceneWorld.couldCaption($0) }
    // A generated list holds none; one in twenty leaves room for a list that was edited by hand.
    guard foreign.count * 20 > captions.count, let example = foreign.first else { return }
    throw CommandError(
      "\(name) knows the demo's scenes only, and \(foreign.count) of \(captions.count) "
        + "captions are of another kind, such as \"\(example.prefix(60))\". Name a CLIP with "
        + "--model WEIGHTS --model-config NAME, or force it with --force-scorer.")
  }

  static func name(of model: String) -> String {
    let last = model.split(separator: "/").last.map(String.init) ?? model
    let stem = last.hasSuffix(".safetensors") ? String(last.dropLast(12)) : last
    return String(stem.map { $0.isLetter || $0.isNumber || "-_".contains($0) ? $0 : "_" })
  }

  static func unpackBundled(into folder: String) throws -> String {
    try DurableFile.makeFolder(folder)
    for file in ["model.safetensors", "model.json", "tokenizer.merges"] {
      guard let bytes = BundledFiles.bytes("scorer/\(file)") else {
        throw CommandError("this build holds no scene scorer; make one with `make scorer`")
      }
      let path = "\(folder)/\(file)"
      if DurableFile.exists(path), try DurableFile.read(path) == bytes { continue }
      try DurableFile.write(bytes, to: path)
    }
    return folder
  }
}
