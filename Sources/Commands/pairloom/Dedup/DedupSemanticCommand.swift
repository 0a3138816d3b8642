import ArgumentParser
import EmbeddingFiles
import PipelineCore
import SemanticDeduplication
import ShardDeduplication
import ShardEmbedding
import ShardMaintenance
import WorkerThreads

/// `pairloom dedup --semantic EPS`: pairs that mean the same, by their embeddings (SemDeDup).
struct DedupSemanticCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "semantic",
    abstract: "Drop pairs whose embeddings are nearly those of another (SemDeDup).",
    discussion: """
      The embeddings are clustered; within a cluster a pair is dropped where its cosine with one in front of it is \
      above 1 − EPS. --keep hard puts the pairs least like their cluster's centroid in front, as the reference \
      does, easy those most like it, first the earlier ones. Near pairs in different clusters are not seen: at \
      the end some rows are held against all others, and the share that was found is printed.

      Takes a folder of embeddings, and the shards that were embedded; without shards it takes those that \
      the folder names. Without embeddings --model makes them first, in OUT.embeddings. Writes numbered shards, \
      dataset.json, semantic.parquet (every row, its cluster, and for dropped ones what is kept instead and \
      the cosine), and report.html with the largest groups and the pairs about the threshold. Killed at any \
      moment, the same command goes on from OUT.part: the clustering is kept after every pass.

        pairloom dedup --semantic 0.05 EMBEDDINGS --plan
        pairloom dedup --semantic 0.05 EMBEDDINGS --out DIR
        pairloom dedup --semantic 0.05 DIR/*.tar --model WEIGHTS --model-config ViT-B-32 --out DIR2
      """)

  @Argument(help: "A folder of embeddings, and shards, folders of shards, or patterns.")
  var inputs: [String]

  @Option(help: "Pairs with a cosine above 1 minus this are duplicates, 0 to 2.")
  var semantic: Double

  @Option(help: "How many clusters. (default: one for a thousand rows)")
  var clusters: Int?

  @Option(
    help: "hard, easy or first: which pair of several stays. (default: hard)",
    transform: DedupRuleOptions.word)
  var keep: SemanticRules.Keep = .hard

  @Option(
    help: "Compare the pairs' image or text. (default: image)", transform: DedupRuleOptions.word)
  var by: EmbeddingFolder.Tower = .image

  @Option(
    help: ArgumentHelp(
      "Whose vectors, where .npz files have those of several models, such as b32.",
      valueName: "model"))
  var features: String?

  @Option(help: "Where the clusters begin follows from this number.")
  var seed: UInt64 = 0

  @Option(help: "Rows that are held against all others to tell how many near pairs were missed.")
  var audit = 500

  @Option(help: "A CLIP to make embeddings with, where none are named.")
  var model: String?

  @OptionGroup var weights: WeightOptions

  @Option(help: "The folder to write, new or empty.")
  var out: String?

  @Option(help: "With --plan: the table of all rows to write, Parquet.")
  var table: String?

  @OptionGroup var cut: ShardCutOptions

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  @Flag(help: "Say how many would go, and drop nothing.")
  var plan = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard (0...2).contains(semantic) else { throw ValidationError("--semantic must be 0 to 2.") }
    guard clusters ?? 1 > 0 else { throw ValidationError("--clusters must be 1 or more.") }
    guard audit >= 0 else { throw ValidationError("--audit must be 0 or more.") }
    try CoreCount.require(threads)
    guard plan || out != nil else {
      throw ValidationError("--out names the folder to write; --plan only looks.")
    }
    guard table == nil || plan else {
      throw ValidationError("--table goes with --plan; with --out it is OUT/semantic.parquet.")
    }
  }

  func run() async throws {
    Interruption.shared.watchToLeave()
    let cores = threads ?? Parallel.coreCount
    let named = inputs.filter { EmbeddingFolder.isEmbeddings($0) }
    guard named.count <= 1 else {
      throw CommandError("\(named.joined(separator: ", ")): name one folder of embeddings.")
    }
    var shards = try ShardPaths.find(inputs.filter { !EmbeddingFolder.isEmbeddings($0) })
    let folder: String
    if let named = named.first {
      folder = named
    } else {
      folder = try await embed(shards, threads: cores)
    }
    if shards.isEmpty, !plan { shards = try Self.shards(of: folder) }
    var rules = SemanticRules(epsilon: semantic)
    (rules.clusters, rules.keep, rules.tower, rules.seed) = (clusters, keep, by, seed)
    let deduplicator = try SemanticDeduplicator(
      try EmbeddingFolder(folder, model: features), rules: rules,
      clusterer: VectorClusterer(threads: cores),
      audited: audit)
    let progress = WorkProgress()
    let show = { @Sendable (step: SemanticDeduplicator.Progress) in
      progress.show { Self.line(step) }
    }
    let cut = cut.options()
    let (paths, target, wanted, wantedRules) = (shards, plan ? nil : out, table, rules)
    let outcome = try await Parallel.detached {
      guard let target else {
        return try deduplicator.plan(table: wanted, onProgress: show)
      }
      return try deduplicator.deduplicate(
        paths, to: target, cut: cut, worker: DecodeWorkerCommand.worker,
        report: { outcome, review, folder in
          try SemanticReport(outcome: outcome, review: review, rules: wantedRules)
            .write(to: folder + "/report.html")
        }, onProgress: show)
    }
    let summary = SemanticSummary(
      outcome: outcome, rules: rules, folder: target.map { Resharder.trimmed($0) })
    if json {
      Terminal.print(summary.json.serialized)
    } else {
      for line in summary.lines { Terminal.print(line) }
    }
  }

  /// Embeds shards beside the output; gone on with when it was interrupted.
  private func embed(_ shards: [String], threads: Int) async throws -> String {
    guard let model, let out else {
      throw CommandError(
        "no embeddings are named. Make them with `pairloom embed SHARD… --model M --out DIR`, or name"
          + " --model and --out.")
    }
    let folder = Resharder.trimmed(out) + ".embeddings"
    let embedder = try CLIPPairEmbedder(
      model: model, configuration: weights.modelConfig, activation: weights.activation,
      threads: threads)
    try embedder.requireItsDomain(of: shards)
    let progress = WorkProgress()
    _ = try await ShardEmbedder(shards, to: folder, embedder: embedder).run { done, all in
      progress.show { "embed: \(done) of \(all) pairs" }
    }
    Terminal.note("embeddings: \(folder)")
    return folder
  }

  private static func shards(of folder: String) throws -> [String] {
    let shards = try EmbeddingSources(of: folder).shards
    guard !shards.isEmpty else {
      throw CommandError("\(folder): it does not say where its shards lie. Name them, too.")
    }
    return shards
  }

  static func line(_ step: SemanticDeduplicator.Progress) -> String {
    switch step {
    case .judging(.clustering(let pass, let cosine)):
      "dedup: clustering, pass \(pass), mean cosine \(Markup.decimal(cosine, 4))"
    case .judging(.comparing(let clusters)): "dedup: comparing within \(clusters) clusters"
    case .copied(let read, let kept): "dedup: \(read) pairs read, \(kept) kept"
    }
  }
}
