import ArgumentParser
import PairDataset
import PipelineCore

/// `pairloom score SHARD…`: CLIP scores of existing shards, WebDataset tars included.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Score the pairs of shards by the cosine of picture and caption.",
    discussion: """
      Writes a Parquet table with uid, key and score of each pair, and what made them in its footer.

        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out scores.parquet
      """)

  @Argument(help: "Shards: .tar or .tar.lz4, Pairloom's own or any WebDataset's.")
  var shards: [String]

  @Option(help: "A CLIP: safetensors in open_clip's layout, a folder of training, or scenes.")
  var model: String

  @Option(help: "The configuration of the weights: an open_clip name or JSON file.")
  var modelConfig: String?

  @Option(help: "The table of scores to write, Parquet.")
  var out: String

  @Flag(help: "Score with the bundled scene scorer although the pairs are not of scenes.")
  var forceScorer = false

  func run() async throws {
    let scorer = try CLIPPairScorer(
      model: model, configuration: modelConfig, scratch: out + ".scorer")
    let table = try PairTableWriter(
      out, columns: ScoreTable.columns, metadata: ScoreTable.metadata(of: scorer))
    var count = 0
    for path in shards {
      let shard = try ShardReader(path: path)
      for start in stride(from: 0, to: shard.count, by: Self.batch) {
        let pairs = try (start..<min(start + Self.batch, shard.count)).map {
          try shard.pair(at: $0)
        }
        if start == 0 && !forceScorer {
          try scorer.requireItsDomain(pairs.map(\.caption))
        }
        let scores = try await scorer.scores(of: pairs)
        for (pair, score) in zip(pairs, scores) {
          try table.append(
            ScoreTable.row(uid: PairIdentity.uid(of: pair), key: pair.key, score: score))
        }
        count += pairs.count
      }
      Terminal.note("\(path): \(shard.count) pairs")
    }
    try table.finish()
    Terminal.print("\(out): \(count) scores")
  }

  /// Pairs in memory at a time.
  private static let batch = 256
}
