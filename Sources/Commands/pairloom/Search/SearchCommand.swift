import ArgumentParser
import Clustering
import DurableFiles
import EmbeddingFiles
import PipelineCore
import ShardDeduplication
import ShardEmbedding
import TensorEngine
import WorkerThreads

/// `pairloom search DIR --text T`: the nearest pairs of all, exactly.
struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Find the pairs that are nearest to a text or a picture, by embeddings.",
    discussion: """
      Looks at every vector, on all cores; nothing is approximate. The score is the cosine; of equal scores the \
      earlier row comes first. With --sheet the pictures that were found are shown on a page, where their \
      shards are at hand.

        pairloom search EMBEDDINGS --text "a dog on a beach" --model WEIGHTS --model-config ViT-B-32 --sheet dogs.html
        pairloom search EMBEDDINGS --picture cat.jpg --by text --model WEIGHTS --model-config ViT-B-32 --json
      """)

  @Argument(
    help: """
      A folder of embeddings, as `pairloom embed` or clip-retrieval writes it, a .npy file, or DataComp's .npz files.
      """
  )
  var folder: String

  @Option(help: "A text to find pairs for.")
  var text: String?

  @Option(help: "A picture to find pairs for.")
  var picture: String?

  @OptionGroup var model: EncoderOptions

  @Option(help: "How many pairs.")
  var top = 20

  @Option(
    help: "Compare with the pairs' image or text. (default: image)",
    transform: DedupRuleOptions.word)
  var by: EmbeddingFolder.Tower = .image

  @Option(
    help: ArgumentHelp(
      "Whose vectors, where .npz files have those of several models, such as b32.",
      valueName: "model"))
  var features: String?

  @Option(help: "A page of the found pictures to write.")
  var sheet: String?

  @Option(
    parsing: .upToNextOption,
    help: "The shards of the pictures. (default: where they lay when they were embedded)")
  var shards: [String] = []

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard (text == nil) != (picture == nil) else {
      throw ValidationError("--text or --picture says what to look for.")
    }
    guard (1...1_000_000).contains(top) else {
      throw ValidationError("--top must be 1 to 1000000.")
    }
  }

  func run() async throws {
    let embeddings = try EmbeddingFolder(folder, model: features)
    guard let rows = embeddings.vectors(by) else {
      throw CommandError("\(folder): it has no \(by.stem)/. Choose with --by.")
    }
    let sources =
      DurableFile.isFolder(folder) ? try EmbeddingSources(of: folder) : EmbeddingSources()
    let embedder = try model.embedder()
    try Self.require(embedder, of: sources, folder, width: rows.width)
    let query: [Float]
    if let text {
      query = try embedder.vector(of: text)
    } else {
      query = try embedder.vector(of: try DurableFile.read(picture ?? ""))
    }
    let start = ContinuousClock.now
    let threads = model.cores
    let neighbours = try await Parallel.detached { [top] in
      ExactNeighbours.search(
        Tensor(shape: [1, query.count], query), in: VectorSource(rows), top: top, threads: threads
      )[0]
    }
    let time = ContinuousClock.now - start
    let metadata = try embeddings.metadata(of: Set(neighbours.map(\.row)))
    let hits = neighbours.map { SearchHit($0, metadata[$0.row] ?? EmbeddingMetadata()) }
    if let sheet {
      let paths = shards.isEmpty ? sources.shards : try ShardPaths.find(shards)
      try SearchSheet(question: text ?? picture ?? "", hits: hits, shards: paths).write(to: sheet)
    }
    if json {
      Terminal.print(
        JSONValue.object([
          .init("rows", .int(rows.count)), .init("seconds", .number("\(time.seconds)")),
          .init("hits", .array(hits.map(\.json))),
        ]).serialized)
      return
    }
    for (index, hit) in hits.enumerated() { Terminal.print(hit.line(index + 1)) }
    Terminal.note("\(rows.count) vectors in \(Markup.decimal(1_000 * time.seconds, 1)) ms")
    if let sheet { Terminal.note("look at \(sheet)") }
  }

  /// Refuses vectors of another model, which would give numbers without meaning.
  private static func require(
    _ embedder: CLIPPairEmbedder, of sources: EmbeddingSources, _ folder: String, width: Int
  ) throws {
    if let weights = sources.model["weights"], weights != embedder.provenance["weights"] {
      throw CommandError(
        "\(folder): these embeddings are of other weights (\(weights.prefix(12))…) than \(embedder.name)."
          + " Name the model that made them.")
    }
    guard embedder.width == width else {
      throw CommandError(
        "\(folder): its vectors have \(width) numbers, those of \(embedder.name) \(embedder.width)."
          + " Name the model that made them.")
    }
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
