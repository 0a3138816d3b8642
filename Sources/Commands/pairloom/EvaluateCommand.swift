import ArgumentParser
import CLIPModel
import CLIPTraining
import Collectives
import Foundation
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

  @Option(help: "At most so many pairs, evenly spread over all.")
  var limit: Int?

  @Flag(help: "One JSON object instead of a table.")
  var json = false

  func validate() throws {
    if data.isEmpty { throw ValidationError("--data must name a dataset.json or shards.") }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
  }

  /// Gives the encoder of the model and the pairs to `body`, in the ranks that this process belongs to.
  func measuring<R>(_ body: (SharedEncoder, ExamPairs) throws -> R?) throws -> R? {
    let pairs = try ExamPairs(data, limit: limit)
    var group = ProcessGroup.alone
    if let place = RankPlace.inherited(from: ProcessInfo.processInfo.environment) {
      group = try ProcessGroup.connect(
        rank: place.rank, worldSize: place.worldSize, rendezvous: place.rendezvous,
        token: place.token, deadline: 60)
    }
    defer { group.close() }
    TensorThreads.set(max(1, Parallel.coreCount / group.worldSize))
    let trained = try TrainedCLIP.load(
      model, configuration: weights.modelConfig, activation: weights.activation)
    do {
      return try body(SharedEncoder(trained, in: group), pairs)
    } catch let error as ExamError {
      throw CommandError(error.description)
    }
  }

  /// Prints a result as one JSON object.
  func printJSON(_ result: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  func tell(undecodable: Int, of count: Int) {
    guard undecodable > 0 else { return }
    Terminal.note("\(undecodable) of \(count) pictures cannot be decoded; they are left out")
  }
}

/// `pairloom evaluate retrieval`: R@1, R@5 and R@10 in both directions.
struct EvaluateRetrieval: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieval",
    abstract: "Recall at 1, 5 and 10 of captions by picture and of pictures by caption.",
    discussion: """
      Ties count half: a model that gives everything one score gets chance, not 1. open_clip gives \
      equal scores the order of its sort; without ties the figures are the same. AUC is that of matched \
      against mismatched pairs, by cosine.
      """)

  @OptionGroup var options: EvaluationOptions

  func run() async throws {
    let measured = try options.measuring { encoder, pairs in
      try RetrievalExam(pairs).taken(with: encoder)
    }
    guard let result = measured else { return }
    let count = result.textToImage.queries + result.undecodable
    options.tell(undecodable: result.undecodable, of: count)
    if options.json { return try options.printJSON(result) }
    Terminal.print(
      "\(result.textToImage.queries) pairs            R@1      R@5     R@10   mean rank   median")
    for (name, direction) in [
      ("image → text", result.imageToText), ("text → image", result.textToImage),
    ] {
      let recalls = [direction.recallAt1, direction.recallAt5, direction.recallAt10]
      Terminal.print(
        name + "    " + recalls.map { String(format: "%6.2f %%", $0 * 100) }.joined(separator: " ")
          + String(format: "   %9.1f %8.1f", direction.meanRank, direction.medianRank))
    }
    Terminal.print(
      "chance          "
        + result.textToImage.chance.map { String(format: "%6.2f %%", $0 * 100) }
        .joined(separator: " "))
    if let auc = result.auc {
      Terminal.print(String(format: "AUC of matched against mismatched pairs: %.4f", auc))
    }
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
    let names = try examLines(of: classes)
    let templates = try templates.map(examLines) ?? ["{}"]
    let measured = try options.measuring { encoder, pairs in
      let exam = try ZeroShotExam(pairs, names: names, templates: templates, label: label)
      return try exam.taken(with: encoder, labels: try exam.labels(sharing: encoder))
    }
    guard let result = measured else { return }
    options.tell(undecodable: result.undecodable, of: result.images + result.undecodable)
    if options.json { return try options.printJSON(result) }
    Terminal.print(
      String(
        format: "%d pictures, %d classes: top-1 %.2f %%, top-5 %.2f %%, mean per-class recall "
          + "%.2f %% (chance %.2f %%)",
        result.images, result.classes, result.top1 * 100, result.top5 * 100,
        result.meanPerClassRecall * 100, 100 / Double(result.classes)))
  }
}
