import ArgumentParser
import CLIPModel
import CLIPTraining
import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import TensorEngine
import WorkerThreads

/// `pairloom evaluate`: how good a trained CLIP is.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measure a CLIP by zero-shot classification or retrieval.",
    subcommands: [EvaluateRetrieval.self, EvaluateZeroShot.self])
}

/// The options that both measures share.
struct EvaluationOptions: ParsableArguments {
  @Option(help: "A CLIP: a folder of training, or weights of open_clip, OpenAI or Hugging Face.")
  var model: String

  @OptionGroup var weights: WeightOptions

  @Option(help: "Pairs to measure on: a dataset.json, or shards; repeatable.")
  var data: [String]

  @Flag(help: "One JSON object instead of a table.")
  var json = false

  func validate() throws {
    if data.isEmpty { throw ValidationError("--data must name a dataset.json or shards.") }
  }

  /// The shards that `--data` names, in order.
  func shards() throws -> [ShardReader] {
    try data.flatMap { path -> [String] in
      guard path.hasSuffix(".json") else { return [path] }
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      return try DatasetManifest.read(path).shards.map {
        folder.appendingPathComponent($0.file).path
      }
    }.map { try ShardReader(path: $0) }
  }

  func trained() throws -> TrainedCLIP {
    TensorThreads.set(Parallel.coreCount)
    return try TrainedCLIP.load(
      model, configuration: weights.modelConfig, activation: weights.activation)
  }
}

extension TrainedCLIP {
  /// Features of pictures in batches; progress goes to the terminal.
  ///
  /// - Returns: `[count, D]`.
  func features(count: Int, of pair: (Int) throws -> Pair) throws -> (images: Tensor, texts: Tensor)
  {
    var images: [Float] = []
    var texts: [Float] = []
    var width = 0
    for start in stride(from: 0, to: count, by: 64) {
      let pairs = try (start..<min(start + 64, count)).map(pair)
      let features = imageFeatures(try pairs.map { try ImageDecoder.decode($0.image) })
      width = features.shape[1]
      images += features.values
      texts += textFeatures(pairs.map(\.caption)).values
    }
    return (Tensor(shape: [count, width], images), Tensor(shape: [count, width], texts))
  }
}

/// `pairloom evaluate retrieval`: R@1, R@5 and R@10 in both directions.
struct EvaluateRetrieval: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieval",
    abstract: "Recall at 1, 5 and 10 of captions by picture and of pictures by caption.",
    discussion: "Ties count half: a model that gives everything one score gets chance, not 1.")

  @OptionGroup var options: EvaluationOptions

  func run() async throws {
    let trained = try options.trained()
    let shards = try options.shards()
    let places = shards.flatMap { shard in (0..<shard.count).map { (shard, $0) } }
    guard places.count > 1 else { throw CommandError("the data hold fewer than two pairs") }
    let features = try trained.features(count: places.count) {
      try places[$0].0.pair(at: places[$0].1)
    }
    let result = Retrieval(
      images: features.images, texts: features.texts, imageOfText: Array(places.indices))
    if options.json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
      return
    }
    Terminal.print("\(places.count) pairs            R@1      R@5     R@10   median rank")
    for (name, direction) in [
      ("image → text", result.imageToText), ("text → image", result.textToImage),
    ] {
      let recalls = [direction.recallAt1, direction.recallAt5, direction.recallAt10]
      Terminal.print(
        name + "    " + recalls.map { String(format: "%6.2f %%", $0 * 100) }.joined(separator: " ")
          + String(format: "   %8.1f", direction.medianRank))
    }
    Terminal.print(
      "chance          "
        + result.textToImage.chance.map { String(format: "%6.2f %%", $0 * 100) }
        .joined(separator: " "))
  }
}

/// `pairloom evaluate zeroshot`: top-1 and top-5 over classes that are given by name.
struct EvaluateZeroShot: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zeroshot",
    abstract: "Top-1 and top-5 of the classes whose prompts are nearest to a picture.",
    discussion: """
      The class of a pair is read from its JSON member (--label, a class name or its number), or is
      its caption where it has no such value. A template holds {} where the class name goes.
      """)

  @OptionGroup var options: EvaluationOptions

  @Option(help: "A text file with a class name per line.")
  var classes: String

  @Option(help: "A text file with a template per line, each with {}; without it, the bare names.")
  var templates: String?

  @Option(help: "The key of the class in a pair's JSON member.")
  var label = "label"

  func run() async throws {
    let names = try Self.lines(of: classes)
    let templates = try templates.map(Self.lines) ?? ["{}"]
    guard names.count > 1 else { throw CommandError("\(classes): holds fewer than two classes") }
    let trained = try options.trained()
    var labels: [Int] = []
    var pairs: [(ShardReader, Int)] = []
    for shard in try options.shards() {
      for index in 0..<shard.count {
        labels.append(try Self.label(of: shard.pair(at: index), key: label, names: names))
        pairs.append((shard, index))
      }
    }
    guard !pairs.isEmpty else { throw CommandError("the data hold no pair") }
    let features = try trained.features(count: pairs.count) {
      try pairs[$0].0.pair(at: pairs[$0].1)
    }
    let result = ZeroShot(
      images: features.images,
      classVectors: trained.classVectors(names: names, templates: templates), labels: labels)
    if options.json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
    } else {
      Terminal.print(
        String(
          format: "%d pictures, %d classes: top-1 %.2f %%, top-5 %.2f %% (chance %.2f %%)",
          result.images, result.classes, result.top1 * 100, result.top5 * 100,
          100 / Double(result.classes)))
    }
  }

  private static func label(of pair: Pair, key: String, names: [String]) throws -> Int {
    var metadata: [String: Any] = [:]
    if !pair.metadata.isEmpty {
      do {
        metadata =
          try JSONSerialization.jsonObject(with: Data(pair.metadata)) as? [String: Any] ?? [:]
      } catch { throw CommandError("pair \(pair.key): its JSON member is no JSON: \(error)") }
    }
    if let number = metadata[key] as? Int, names.indices.contains(number) { return number }
    let name = metadata[key] as? String ?? pair.caption
    guard let index = names.firstIndex(of: name) else {
      throw CommandError("pair \(pair.key): \"\(name.prefix(60))\" is none of the classes")
    }
    return index
  }

  private static func lines(of path: String) throws -> [String] {
    String(decoding: try DurableFile.read(path), as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
  }
}

extension TrainedCLIP {
  /// One vector per class: the mean over the templates, of length one.
  ///
  /// - Returns: `[C, D]`.
  func classVectors(names: [String], templates: [String]) -> Tensor {
    let vectors = names.map { name in
      ZeroShot.classVector(
        of: textFeatures(templates.map { $0.replacingOccurrences(of: "{}", with: name) }))
    }
    return Tensor(shape: [names.count, vectors[0].count], vectors.flatMap { $0 })
  }
}
