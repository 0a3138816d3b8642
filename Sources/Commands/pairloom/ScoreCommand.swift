import ArgumentParser
import DurableFiles
import PairDataset
import PipelineCore

/// `pairloom score SHARD…`: CLIP scores of existing shards, WebDataset tars included.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Score the pairs of shards by the cosine of picture and caption.",
    discussion: """
      Writes one JSON line per pair: uid, key, score.

        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out scores.jsonl
      """)

  @Argument(help: "Shards: .tar or .tar.lz4, Pairloom's own or any WebDataset's.")
  var shards: [String]

  @Option(help: "A CLIP: safetensors in open_clip's layout, a folder of training, or scenes.")
  var model: String

  @Option(help: "The configuration of the weights: an open_clip name or JSON file.")
  var modelConfig: String?

  @Option(help: "The table of scores to write, JSON Lines.")
  var out: String

  @Flag(help: "Score with the bundled scene scorer although the pairs are not of scenes.")
  var forceScorer = false

  func run() async throws {
    let scorer = try CLIPPairScorer(
      model: model, configuration: modelConfig, scratch: out + ".scorer")
    let table = try DurableFileWriter(out)
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
        let lines = zip(pairs, scores).map { pair, score in
          JSONValue.object([
            .init("uid", .string(PairIdentity.uid(of: pair))), .init("key", .string(pair.key)),
            .init("score", .number("\(score)")),
          ]).serialized + "\n"
        }
        try table.write(Array(lines.joined().utf8))
        count += pairs.count
      }
      Terminal.note("\(path): \(shard.count) pairs")
    }
    try table.commit()
    Terminal.print("\(out): \(count) scores")
  }

  /// Pairs in memory at a time.
  private static let batch = 256
}
