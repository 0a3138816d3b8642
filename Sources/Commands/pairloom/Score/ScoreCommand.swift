import ArgumentParser
import CLIPModel
import PairDataset
import PipelineCore
import ShardDeduplication
import ShardScoring
import TensorEngine

/// `pairloom score SHARD…`: CLIP scores of existing shards, WebDataset tars included.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Score the pairs of shards by the cosine of picture and caption.",
    discussion: """
      Writes Parquet tables with uid, key and score of each pair, and what made them in the footer: the \
      weights' hash, configuration, activation, preprocessing, tokenizer, precision, and the program's version. \
      With --out FOLDER every shard gets a table; with --out NAME.parquet they become one at the end. A pair \
      whose picture does not decode, or that has no caption, keeps its row, without a score: `fault` and \
      `detail` say why.

      Killed at any moment, the same command goes on, and loses a shard at most. Start it several times, on one \
      machine or many that share the folder, and the processes divide the work; the bytes are the same. A table \
      of the same shard and model is never made twice, and scores of two models are never mixed.

        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out SCORES
        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out scores.parquet
      """)

  @Argument(help: "Shards, folders of shards, or patterns: .tar or .tar.lz4, any WebDataset's.")
  var shards: [String]

  @Option(
    help: "A CLIP: weights of open_clip, OpenAI or Hugging Face, a folder of training, or scenes.")
  var model: String

  @Option(help: "The configuration of the weights: an open_clip name or JSON file.")
  var modelConfig: String?

  @Option(help: "The activation, where the weights do not say it: quick-gelu or gelu.")
  var activation: Activation?

  @OptionGroup var cache: FeatureCacheOptions

  @Option(help: "The table to write (NAME.parquet), or a folder for a table of each shard.")
  var out: String

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  @Flag(help: "Score with the bundled scene scorer although the pairs are not of scenes.")
  var forceScorer = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard threads ?? 1 > 0 else { throw ValidationError("--threads must be 1 or more.") }
  }

  func run() async throws {
    // What is there is known by its footer, and gone on with by the same command.
    Interruption.shared.watchToLeave()
    let paths = try ShardPaths.find(shards)
    let scratch = ScorerScratch()
    let scorer = try CLIPPairScorer(
      model: model, configuration: modelConfig, activation: activation, scratch: scratch.path,
      cache: cache.featureCache)
    if let threads { TensorThreads.set(threads) }
    if !forceScorer { try scorer.requireItsDomain(try Self.captions(of: paths)) }
    try scorer.calibrate(cache)
    let progress = WorkProgress()
    let outcome = try await ShardScorer(paths, to: out, scorer: scorer).run { state in
      progress.show { ScoreLines.progress(state) }
    }
    try scorer.flushCache()
    let lines = ScoreLines(outcome: outcome, out: out)
    if json { Terminal.print(lines.json.serialized) } else { lines.all.forEach(Terminal.note) }
    guard outcome.unread.isEmpty else {
      throw CommandFailure(
        description:
          "\(outcome.unread.count) of \(outcome.shards) shards cannot be read, the others"
          + " are scored. Mend or leave them out, and run the same command again.", code: 3)
    }
    if !json { Terminal.print(out) }
  }

  /// Captions of the first shard that can be read; the others are judged when their turn comes.
  private static func captions(of paths: [String]) throws -> [String] {
    for path in paths {
      do throws(ShardError) {
        let shard = try ShardReader(path: path)
        var captions: [String] = []
        for index in 0..<min(256, shard.count) {
          let pair = try shard.pair(at: index)
          if pair.hasText { captions.append(pair.caption) }
        }
        if !captions.isEmpty { return captions }
      } catch { continue }
    }
    return []
  }
}
