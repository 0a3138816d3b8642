import BatchLoading
public import CLIPModel
import ContentHashing
import DurableFiles
public import Optimizers
import Yams

/// One training run, as a YAML file states it.
///
/// Paths are relative to the working directory. Keys, with their defaults:
/// `data` (a `dataset.json`), `model` (an open_clip name, the path of a JSON file, or the
/// configuration itself), `tokenizer` (`clip` | path of a table of merges | `{train_vocabulary: N}`,
/// which learns one from the captions), `preprocessing` {`mean`, `std`: CLIP's}, `augmentation` {`scale`: none},
/// `seed` (0), `ranks` (1), `threads` (0: cores / ranks), `global_batch`, `samples` or `steps`, `optimizer`
/// {`learning_rate` 5e-4, `beta1` 0.9, `beta2` 0.98, `epsilon` 1e-6, `weight_decay` 0.2, `decay_rule`
/// open_clip_3, `warmup_steps` 0, `clip_norm` none}, `checkpoint_every` (0: at the end), `log_every` (10),
/// `image_cache_mb` (256 per rank), `domain` (none; written into the model's description).
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

  public var data: String
  public var configuration: CLIPConfiguration
  public var tokenizer: TokenizerChoice
  public var mean: [Float]
  public var std: [Float]
  public var cropScale: ClosedRange<Double>?
  public var seed: UInt64
  public var ranks: Int
  /// Of one rank; 0 shares the cores out.
  public var threads: Int
  public var globalBatch: Int
  public var steps: Int
  public var optimizer: AdamWOptions
  public var decayRule: WeightDecayRule
  public var warmupSteps: Int
  public var clipNorm: Float?
  public var checkpointEvery: Int
  public var logEvery: Int
  public var imageCacheBytes: Int
  /// What the model will be good for, if not for any picture, such as `scenes`.
  public var domain: String?
  /// The manifest with its overrides in place, as it goes into the output folder.
  public var yaml: String

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
    guard let data = try reader.string("data") else {
      throw reader.error("data", "is missing: give --set data=DIR/dataset.json")
    }
    guard let batch = try reader.integer("global_batch", atLeast: 1) else {
      throw reader.error("global_batch", "is missing: the number of pairs per step, of all ranks")
    }
    let ranks = try reader.integer("ranks", atLeast: 1) ?? 1
    guard batch >= ranks else {
      throw reader.error("global_batch", "\(batch) pairs cannot be shared by \(ranks) ranks")
    }
    let optimizer = try readOptimizer(reader)
    let steps = try readSteps(reader, batch: batch)
    guard optimizer.warmup <= steps else {
      throw reader.error(
        "optimizer.warmup_steps", "\(optimizer.warmup) is more than the \(steps) steps of the run")
    }
    let std = try preprocessing?.numbers("std", count: 3)?.map(Float.init)
    if let preprocessing, let std, !std.allSatisfy({ $0 > 0 && $0.isFinite }) {
      throw preprocessing.error("std", "is not three numbers above 0")
    }
    var manifest = TrainingManifest(
      data: data, configuration: try readModel(reader), tokenizer: try readTokenizer(reader),
      mean: try preprocessing?.numbers("mean", count: 3)?.map(Float.init)
        ?? ImagePreprocessing.clipMean,
      std: std ?? ImagePreprocessing.clipStd,
      cropScale: try readScale(augmentation),
      seed: UInt64(try reader.integer("seed", atLeast: 0) ?? 0), ranks: ranks,
      threads: try reader.integer("threads", atLeast: 0) ?? 0, globalBatch: batch,
      steps: steps, optimizer: optimizer.options,
      decayRule: optimizer.rule, warmupSteps: optimizer.warmup, clipNorm: optimizer.clip,
      checkpointEvery: try reader.integer("checkpoint_every", atLeast: 0) ?? 0,
      logEvery: try reader.integer("log_every", atLeast: 1) ?? 10,
      imageCacheBytes: (try reader.integer("image_cache_mb", atLeast: 0) ?? 256) << 20,
      domain: try reader.string("domain"), yaml: "")
    for section in [preprocessing, augmentation, reader] { try section?.finish() }
    manifest.yaml = try Yams.serialize(node: document)
    return manifest
  }

  private static func readModel(_ reader: ManifestReader) throws -> CLIPConfiguration {
    guard let node = reader.node("model") else {
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

  private static func readTokenizer(_ reader: ManifestReader) throws(ManifestError)
    -> TokenizerChoice
  {
    guard let node = reader.node("tokenizer") else { return .clip }
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

  private static func readOptimizer(_ reader: ManifestReader) throws(ManifestError) -> (
    options: AdamWOptions, rule: WeightDecayRule, warmup: Int, clip: Float?
  ) {
    var options = AdamWOptions(
      learningRate: 5e-4, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.2)
    guard let section = try reader.section("optimizer") else {
      return (options, .openClip3, 0, nil)
    }
    options.learningRate = try section.number("learning_rate", in: 0...10) ?? options.learningRate
    options.beta1 = try section.number("beta1", in: 0...0.9999999) ?? options.beta1
    options.beta2 = try section.number("beta2", in: 0...0.9999999) ?? options.beta2
    options.epsilon = try section.number("epsilon", in: 0...1) ?? options.epsilon
    options.weightDecay = try section.number("weight_decay", in: 0...10) ?? options.weightDecay
    let name = try section.string("decay_rule") ?? WeightDecayRule.openClip3.rawValue
    guard let rule = WeightDecayRule(rawValue: name) else {
      let known = WeightDecayRule.allCases.map(\.rawValue).joined(separator: ", ")
      throw section.error("decay_rule", "'\(name)' is none of \(known)")
    }
    let warmup = try section.integer("warmup_steps", atLeast: 0) ?? 0
    let clip = try section.number("clip_norm", in: 1e-9...1e9).map(Float.init)
    try section.finish()
    return (options, rule, warmup, clip)
  }
}
