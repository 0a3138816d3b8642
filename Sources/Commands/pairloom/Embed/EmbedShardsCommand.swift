import ArgumentParser
import PipelineCore
import ShardDeduplication
import ShardEmbedding
import ShardMaintenance

/// `pairloom embed SHARD… --model M --out DIR`: vectors of pictures and captions, beside their scores.
struct EmbedShardsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shards",
    abstract: "Write the CLIP embeddings of shards, with their scores.",
    discussion: """
      Takes any WebDataset tars. Writes, in clip-retrieval's layout, img_emb/img_emb_N.npy and \
      text_emb/text_emb_N.npy (half precision, length one) and metadata/metadata_N.parquet (image_path, caption, \
      url, uid, shard); beside them scores/scores_N.parquet, as `pairloom score` writes it, of the vectors before \
      they are rounded. Row i of all files of a number is one pair. Pairs whose picture does not decode are in \
      undecoded/ instead.

      Killed at any moment, the same command goes on and loses 512 pairs at most; the same shards and model \
      give the same bytes. Start it several times, on one machine or many that share the folder, and the \
      processes divide the work.

        pairloom embed DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out EMBEDDINGS
        pairloom embed cluster EMBEDDINGS --clusters 1000 --out clusters.parquet
        pairloom search EMBEDDINGS --text "a red cube" --model WEIGHTS --model-config ViT-B-32

      See also `pairloom embed cluster --help`.
      """)

  @Argument(help: "Shards, folders of shards, or patterns, in this order.")
  var shards: [String]

  @OptionGroup var model: EncoderOptions

  @OptionGroup var cache: FeatureCacheOptions

  @Option(help: "The folder to write, new or empty.")
  var out: String

  @Option(help: "Pairs of a part, rounded up to a multiple of 512.")
  var partRows = 102_400

  @Flag(help: "Write the vectors as Parquet too: vectors/vectors_N.parquet, of bytes of halves.")
  var parquet = false

  @Flag(help: "Embed with the bundled scene scorer although the pairs are not of scenes.")
  var forceScorer = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard (1...100_000_000).contains(partRows) else {
      throw ValidationError("--part-rows must be 1 to 100000000.")
    }
  }

  func run() async throws {
    // What is there is known by its plan, and gone on with by the same command.
    Interruption.shared.watchToLeave()
    let paths = try ShardPaths.find(shards)
    let embedder = try model.embedder(cache: cache.featureCache)
    if !forceScorer { try embedder.requireItsDomain(of: paths) }
    let folder = Resharder.trimmed(out)
    let progress = WorkProgress()
    let outcome = try await ShardEmbedder(
      paths, to: folder, embedder: embedder,
      options: ShardEmbeddingOptions(partRows: partRows, writesParquet: parquet)
    ).run { done, all in progress.show { "embed: \(done) of \(all) pairs" } }
    try embedder.flushCache()
    if json {
      Terminal.print(
        JSONValue.object([
          .init("embeddings", .string(folder)), .init("pairs", .int(outcome.pairs)),
          .init("undecoded", .int(outcome.undecoded)), .init("parts", .int(outcome.parts)),
          .init("embedded_here", .int(outcome.embedded)),
          .init("was_complete", .bool(outcome.wasComplete)),
        ]).serialized)
      return
    }
    if outcome.wasComplete {
      Terminal.note("\(folder) is complete already; nothing was done again")
    }
    if outcome.undecoded > 0 {
      Terminal.note(
        "\(outcome.undecoded) pairs have a picture that does not decode: see \(folder)/undecoded/")
    }
    Terminal.note(
      "\(outcome.pairs - outcome.undecoded) pairs in \(outcome.parts)"
        + (outcome.parts == 1 ? " part" : " parts"))
    Terminal.print(folder)
  }
}
