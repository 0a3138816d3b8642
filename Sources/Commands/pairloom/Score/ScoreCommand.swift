import ArgumentParser
import AuditedScores
import CLIPTraining
import PipelineCore
import ShardDeduplication
import ShardScoring
import URLPipeline

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

      With --precision int8 and a cut the pairs are scored in bytes, which is faster, and decided as float32 \
      would decide: a sample of the pairs, and all that lie near the cut, are scored again in float32. How far \
      int8 may be off is measured on the sample and not proved: audited, not derived. The tables then say of \
      each pair its score, its `kind`, and whether it is `kept`; their footers, what the audit found. The cut \
      is over all shards named.

        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out SCORES
        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out scores.parquet
        pairloom score DIR/shards/*.tar.lz4 --model WEIGHTS --model-config ViT-B-32 --out CUT \\
          --precision int8 --top-fraction 0.3
      """)

  @Argument(help: "Shards, folders of shards, or patterns: .tar or .tar.lz4, any WebDataset's.")
  var shards: [String]

  @OptionGroup var model: EncoderOptions

  @OptionGroup var cache: FeatureCacheOptions

  @Option(help: "The table to write (NAME.parquet), or a folder for a table of each shard.")
  var out: String

  @Option(help: "What the model computes in: float32, or int8 for a cut with the same decisions.")
  var precision = ModelPrecision.float32

  @Option(help: "With int8: keep pairs whose score is at least this, -1 to 1.")
  var minScore: Double?

  @Option(help: "With int8: keep this share of all pairs, the best first, 0 to 1.")
  var topFraction: Double?

  @Option(
    help:
      "With int8: the share of the pairs that is scored both ways, 256 at least. (default: 0.01)")
  var auditShare: Double?

  @Flag(help: "Score with the bundled scene scorer although the pairs are not of scenes.")
  var forceScorer = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard minScore == nil || topFraction == nil else {
      throw ValidationError("--min-score and --top-fraction: give one of them.")
    }
    if let minScore, !(-1...1).contains(minScore) {
      throw ValidationError("--min-score is \(minScore); a cosine lies between -1 and 1.")
    }
    for (name, share) in [("--top-fraction", topFraction), ("--audit-share", auditShare)] {
      if let share, !(0...1).contains(share) {
        throw ValidationError("\(name) is \(share); give 0 to 1.")
      }
    }
    switch precision {
    case .int8:
      guard cut != nil else {
        throw ValidationError(
          "--precision int8 needs a cut, --min-score X or --top-fraction F: scores of bytes are good for"
            + " that decision alone, as what lies near the cut is scored again. For scores to keep and to"
            + " cut later, leave --precision out.")
      }
    case .float32:
      guard cut == nil, auditShare == nil else {
        throw ValidationError(
          "A cut of float32 scores is the filter's, which needs no new pass: `pairloom filter SHARD…"
            + " --plan PLAN.yaml --scores SCORES`, or filter.min_score or filter.top_fraction of a run."
            + " Here --min-score, --top-fraction and --audit-share go with --precision int8.")
      }
    }
  }

  private var cut: ScoreCut? {
    minScore.map { .minScore(Float($0)) } ?? topFraction.map { .topFraction($0) }
  }

  func run() async throws {
    // What is there is known by its footer, and gone on with by the same command.
    Interruption.shared.watchToLeave()
    let paths = try ShardPaths.find(shards)
    let scorer = try CLIPPairScorer(
      model: model.model, configuration: model.weights.modelConfig,
      activation: model.weights.activation, precision: precision == .int8 ? .int8 : .float32,
      cache: cache.featureCache, threads: model.cores)
    if !forceScorer { try scorer.requireItsDomain(try ShardCaptions.first(of: paths)) }
    try scorer.calibrate(cache)
    let lines = try await score(paths, by: scorer)
    let outcome = lines.outcome
    try scorer.flushCache()
    if json { Terminal.print(lines.json.serialized) } else { lines.all.forEach(Terminal.note) }
    guard outcome.unread.isEmpty else {
      throw CommandFailure(
        description:
          "\(outcome.unread.count) of \(outcome.shards) shards cannot be read, the others"
          + " are scored\(cut == nil ? "" : ", and nothing is decided, as the cut is over all"). Mend or leave them out, and run the same command again.",
        code: 3)
    }
    if !json { Terminal.print(out) }
  }

  private func score(_ paths: [String], by scorer: CLIPPairScorer) async throws -> ScoreLines {
    let progress = WorkProgress()
    guard let cut else {
      let outcome = try await ShardScorer(paths, to: out, scorer: scorer).run { state in
        progress.show { ScoreLines.progress(state) }
      }
      return ScoreLines(outcome: outcome, out: out)
    }
    let audit = auditShare.map { ScoreAudit(share: $0) } ?? ScoreAudit()
    let audited = try await AuditedShardScorer(
      paths, to: out, scorer: RescoringCLIP(scorer), cut: cut, audit: audit
    ).run { state in progress.show { ScoreLines.progress(state) } }
    return ScoreLines(outcome: audited.scoring, out: out, audited: audited)
  }
}
