import ArgumentParser
import DurableFiles
import EmbeddingFiles
import PipelineCore
import SemanticDeduplication
import WorkerThreads

/// `pairloom embed cluster DIR --clusters N --out TABLE`: the image clusters that a filter goes by.
struct EmbedClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster embeddings by cosine, and write a table of clusters and their centroids.",
    discussion: """
      Takes a folder in clip-retrieval's layout, as `pairloom embed` writes it, or a .npy file. The table has uid, \
      key, image_cluster (text_cluster with --by text) and the cosine with the centroid. The centroids (fp32, length \
      one, row i of cluster i) go to TABLE.centroids.npy. The same vectors, clusters and seed give the same \
      bytes on any number of cores.

        pairloom embed cluster EMBEDDINGS --clusters 1000 --out clusters.parquet
      """)

  @Argument(help: "A folder of embeddings, a .npy file, or DataComp's .npz files.")
  var folder: String

  @Option(help: "How many clusters.")
  var clusters: Int

  @Option(help: "The table to write, Parquet.")
  var out: String

  @Option(
    help: "Cluster the pairs' image or text. (default: image)", transform: DedupRuleOptions.word)
  var by: EmbeddingFolder.Tower = .image

  @Option(
    help: ArgumentHelp(
      "Whose vectors, where .npz files have those of several models, such as b32.",
      valueName: "model"))
  var features: String?

  @Option(help: "Where the clusters begin follows from this number.")
  var seed: UInt64 = 0

  @Option(help: "The most passes; it ends when a pass gains less than 0.01 %.")
  var iterations = 50

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  func validate() throws {
    guard clusters > 0 else { throw ValidationError("--clusters must be 1 or more.") }
    guard iterations > 0 else { throw ValidationError("--iterations must be 1 or more.") }
    try CoreCount.require(threads)
  }

  func run() throws {
    Interruption.shared.watchToLeave()
    let embeddings = try EmbeddingFolder(folder, model: features)
    guard let rows = embeddings.vectors(by) else {
      throw SemanticDeduplicationError.noVectors(folder, by)
    }
    let progress = WorkProgress()
    let clusterer = VectorClusterer(
      threads: threads ?? Parallel.coreCount, iterations: iterations)
    let found = try clusterer.clusters(of: rows, count: clusters, seed: seed, from: nil) {
      pass, cosine in
      progress.show { "embed cluster: pass \(pass), mean cosine \(Markup.decimal(cosine, 4))" }
    } onState: { _ in
    }
    let centroids = out + ".centroids.npy"
    try NumpyWriter.write(
      found.centroids, columns: rows.width, type: .float32, to: centroids)
    let table = try PairTableWriter(
      out,
      columns: [
        TableColumn("uid", .text, isOptional: false), TableColumn("key", .text, isOptional: false),
        TableColumn("\(by.rawValue)_cluster", .int, isOptional: false),
        TableColumn("cosine", .float, isOptional: false),
      ],
      metadata: [
        ("clusters", "\(clusters)"), ("seed", "\(seed)"), ("iterations", "\(iterations)"),
      ])
    try embeddings.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() {
        try table.append(
          .object([
            .init("uid", .string(pair.uid)), .init("key", .string(pair.key)),
            .init("\(by.rawValue)_cluster", .int(found.cluster[first + index])),
            .init("cosine", .number("\(found.cosine[first + index])")),
          ]))
      }
    }
    try table.finish()
    let sum = found.cosine.reduce(0.0) { $0 + Double($1) }
    Terminal.note(
      "\(rows.count) rows in \(found.centroids.count / rows.width) clusters, mean cosine "
        + Markup.decimal(sum / Double(max(1, rows.count)), 4) + "; centroids: \(centroids)")
    Terminal.print(out)
  }
}

extension SemanticDeduplicationError: UsageError {}
