public import BatchLoading
public import CLIPModel
public import Checkpointing
import ContentHashing
import DurableFiles
import Glibc
import Yams

/// One training run, as a YAML file states it.
///
/// Paths are relative to the working directory. Keys, with their defaults:
/// `data` (a `dataset.json`, a folder of tars, a tar, a pattern such as `shards/{00000..00009}.tar`, or a list of these,
/// each a path or {`path`, `weight`: how often an epoch visits each pair, 1}), `model` (an open_clip name, the path of a JSON file, or the
/// configuration itself), `tokenizer` (`clip` | path of a table of merges | `{train_vocabulary: N}`,
/// which learns one from the captions), `preprocessing` {`mean`, `std`: CLIP's},
/// `augmentation` {`scale`: none, `convert`: to RGB `first`, as open_clip's loader of WebDatasets, or `last`},
/// `seed` (0), `ranks` (1), `threads` (0: cores / ranks), `global_batch`, `samples` or `steps`, `optimizer`
/// (``OptimizerPlan``), `loss` (clip | siglip), `accumulate` (1: parts in which a rank's pairs go through the model),
/// `patch_dropout` (0), `recompute` (false: blocks are kept, not computed again), `activation_storage` (float32 |
/// bfloat16: of what is kept for the backward pass), `freeze` (``FrozenTowers``), `start_from`
/// (``StartingWeights``; then `model`, `tokenizer` and `preprocessing` are those of the weights where they are not given),
/// `ema_decay` (none), `checkpoints` {`every_steps` 0, `every_minutes` none, `keep` 3, `best` {`metric`, `mode` max}:
/// none} (always one at the end; `checkpoint_every`: `every_steps`), `check_ranks_every` (100 steps; 0 for none),
/// `log_every` (10), `image_cache_mb` (256 per rank), `loader_threads` (0: as many as the rank has cores), `evaluation`
/// (none; ``EvaluationPlan``), `domain` (none; written into the model's description).
public struct TrainingManifest: Sendable {
  /// Where the tokenizer comes from.
  public enum TokenizerChoice: Sendable, Equatable {
    /// CLIP's own 49,408 entries.
    case clip
    /// A table of merges.
    case file(String)
    /// Learned from the captions of the data set.
    case trained(vocabularySize: Int)
  }

  public var sources: [DataSource]
  public var configuration: CLIPConfiguration
  public var tokenizer: TokenizerChoice
  public var mean: [Float]
  public var std: [Float]
  public var cropScale: ClosedRange<Double>?
  /// Whether pictures become RGB before they are cropped.
  public var convertsFirst: Bool
  public var seed: UInt64
  public var ranks: Int
  /// Of one rank; 0 shares the cores out.
  public var threads: Int
  public var globalBatch: Int
  public var steps: Int
  public var optimizer: OptimizerPlan
  /// The loss and how a step is made; its seed is ``seed``.
  public var objective: ContrastiveOptions
  public var frozen: FrozenTowers
  /// Nil draws all weights.
  public var start: StartingWeights?
  /// The share of the parameters' moving average that stays in each step; nil keeps none.
  public var averageDecay: Float?
  public var checkpoints: CheckpointOptions
  /// Steps between comparisons of the ranks' parameters; 0 for none.
  public var checkRanksEvery: Int
  public var logEvery: Int
  public var imageCacheBytes: Int
  /// Of one rank, to read and decode; 0 shares the cores out.
  public var loaderThreads: Int
  /// What the run measures itself on.
  public var evaluation: EvaluationPlan?
  /// What the model will be good for, if not for any picture, such as `scenes`.
  public var domain: String?
  /// What errors call it.
  public var name: String
  /// The manifest with its overrides in place, as it goes into the output folder.
  public var yaml: String

  /// The paths of the sources, for people.
  public var data: String { sources.map(\.path).joined(separator: ", ") }

  /// Reads a manifest file and puts `key.sub=value` settings in place.
  public static func load(yaml path: String, overrides: [String] = []) throws -> TrainingManifest {
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    return try parse(text, name: path, overrides: overrides)
  }

  /// Reads a manifest's text; `name` is what errors call it.
  public static func parse(_ text: String, name: String, overrides: [String] = []) throws
    -> TrainingManifest
  {
    let document = try ManifestReader.document(text, overrides: overrides, manifest: name)
    let reader = try ManifestReader(document, path: "", manifest: name)
    let preprocessing = try reader.section("preprocessing")
    let augmentation = try reader.section("augmentation")
    let sources = try DataSection.sources(reader)
    guard let batch = try reader.integer("global_batch", atLeast: 1) else {
      throw reader.error("global_batch", "is missing: the number of pairs per step, of all ranks")
    }
    let ranks = try reader.integer("ranks", atLeast: 1) ?? 1
    guard batch >= ranks else {
      throw reader.error("global_batch", "\(batch) pairs cannot be shared by \(ranks) ranks")
    }
    let steps = try readSteps(reader, batch: batch)
    let start = try StartingWeights.read(reader)
    let bundle = try start?.tower == nil ? start?.bundle() : nil
    let seed = UInt64(try reader.integer("seed", atLeast: 0) ?? 0)
    var objective = try ContrastiveOptions.read(reader)
    objective.seed = seed
    let configuration = try readModel(reader, objective, bundle)
    let frozen = try FrozenTowers.read(reader, configuration)
    objective.freezesStatistics = frozen.keepsStatistics
    let std = try preprocessing?.numbers("std", count: 3)?.map(Float.init)
    if let preprocessing, let std, !std.allSatisfy({ $0 > 0 && $0.isFinite }) {
      throw preprocessing.error("std", "is not three numbers above 0")
    }
    var manifest = TrainingManifest(
      sources: sources, configuration: configuration, tokenizer: try readTokenizer(reader, bundle),
      mean: try preprocessing?.numbers("mean", count: 3)?.map(Float.init)
        ?? bundle?.preprocessing.mean ?? ImagePreprocessing.clipMean,
      std: std ?? bundle?.preprocessing.std ?? ImagePreprocessing.clipStd,
      cropScale: try readScale(augmentation),
      convertsFirst: try DataSection.convertsFirst(augmentation), seed: seed, ranks: ranks,
      threads: try reader.integer("threads", atLeast: 0) ?? 0, globalBatch: batch,
      steps: steps, optimizer: try OptimizerPlan.read(reader, steps: steps), objective: objective,
      frozen: frozen, start: start,
      averageDecay: try reader.number("ema_decay", in: 0...0.9999999).map(Float.init),
      checkpoints: try CheckpointSection.read(reader),
      checkRanksEvery: try reader.integer("check_ranks_every", atLeast: 0) ?? 100,
      logEvery: try reader.integer("log_every", atLeast: 1) ?? 10,
      imageCacheBytes: (try reader.integer("image_cache_mb", atLeast: 0) ?? 256) << 20,
      loaderThreads: try DataSection.loaderThreads(reader),
      evaluation: try EvaluationPlan.read(reader), domain: try reader.string("domain"), name: name,
      yaml: "")
    guard manifest.evaluation?.usesAverages != true || manifest.averageDecay != nil else {
      throw reader.error(
        "evaluation.averages", "no averages are kept: leave it out, or keep them with ema_decay")
    }
    for section in [preprocessing, augmentation, reader] { try section?.finish() }
    manifest.yaml = try Yams.serialize(node: document)
    return manifest
  }

  /// The model, with the bias that SigLIP's loss wants.
  private static func readModel(
    _ reader: ManifestReader, _ objective: ContrastiveOptions, _ bundle: CLIPBundle?
  ) throws -> CLIPConfiguration {
    var configuration = try readSizes(reader, bundle)
    if objective.patchDropout > 0, configuration.vision.isResNet {
      throw reader.error("patch_dropout", "leaves out patches of a transformer; a ResNet has none")
    }
    if objective.loss == .siglip, configuration.initialLogitBias == nil {
      // What open_clip's `--siglip` gives a model.
      configuration.initialLogitScale = configuration.initialLogitScale ?? log(10)
      configuration.initialLogitBias = -10
    }
    return configuration
  }

  private static func readSizes(
    _ reader: ManifestReader, _ bundle: CLIPBundle?
  ) throws -> CLIPConfiguration {
    guard let node = reader.node("model") else {
      if let bundle { return bundle.configuration }
      throw reader.error("model", "is missing: an open_clip name, a JSON file or a mapping")
    }
    var configuration: CLIPConfiguration
    if let name = node.scalar?.string {
      if let known = CLIPConfiguration.named(name) { return known }
      guard DurableFile.exists(name) else {
        throw reader.error("model", "'\(name)' is neither a known model nor a file")
      }
      configuration = try CLIPConfiguration.read(name)
    } else {
      do {
        configuration = try YAMLDecoder().decode(CLIPConfiguration.self, from: node)
      } catch {
        throw reader.error("model", "is no configuration in open_clip's keys: \(error)")
      }
    }
    if let problem = configuration.problem { throw reader.error("model", problem) }
    return configuration
  }

  private static func readTokenizer(
    _ reader: ManifestReader, _ bundle: CLIPBundle?
  ) throws(ManifestError) -> TokenizerChoice {
    guard let node = reader.node("tokenizer") else {
      guard let bundle, case .merges(let name) = bundle.tokenizerSource else { return .clip }
      return .file(name.hasPrefix("/") ? name : bundle.folder + "/" + name)
    }
    if let text = node.scalar?.string { return text == "clip" ? .clip : .file(text) }
    let section = try ManifestReader(node, path: "tokenizer", manifest: reader.manifest)
    // 256 bytes, each also with the end of a word, and the two special tokens.
    guard let size = try section.integer("train_vocabulary", atLeast: 514) else {
      throw section.error("train_vocabulary", "is missing: the number of entries, 514 or more")
    }
    try section.finish()
    return .trained(vocabularySize: size)
  }

  private static func readScale(_ section: ManifestReader?) throws(ManifestError)
    -> ClosedRange<Double>?
  {
    guard let section, let pair = try section.numbers("scale", count: 2) else { return nil }
    guard pair[0] > 0, pair[0] <= pair[1], pair[1] <= 1 else {
      throw section.error("scale", "is not [least, most] within 0 … 1")
    }
    return pair[0]...pair[1]
  }

  private static func readSteps(_ reader: ManifestReader, batch: Int) throws(ManifestError) -> Int {
    let steps = try reader.integer("steps", atLeast: 1)
    let samples = try reader.integer("samples", atLeast: 1)
    switch (steps, samples) {
    case (let steps?, nil): return steps
    case (nil, let samples?): return (samples + batch - 1) / batch
    case (nil, nil): throw reader.error("steps", "is missing: give steps or samples")
    default: throw reader.error("steps", "is given beside samples: give one of them")
    }
  }
}
