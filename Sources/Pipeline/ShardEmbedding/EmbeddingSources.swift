import DurableFiles
import PipelineCore

/// What a folder of embeddings tells about how it was made.
public struct EmbeddingSources: Sendable {
  /// Where the shards lay; empty where nobody has kept it.
  public var shards: [String] = []
  /// The model's provenance, by name; empty for a folder of another program.
  public var model: [String: String] = [:]

  /// What is told of vectors that stand alone: nothing.
  public init() {}

  /// - Throws: What is damaged.
  public init(of folder: String) throws {
    let work = EmbeddingWork(path: folder)
    if DurableFile.exists(work.sources),
      case .array(let values)? = try JSONValue.parse(try DurableFile.read(work.sources))["shards"]
    {
      shards = values.compactMap(\.text)
    }
    guard DurableFile.exists(work.manifest) else { return }
    let manifest = try JSONValue.parse(try DurableFile.read(work.manifest))
    for member in manifest["settings"]?.members ?? [] where member.key.hasPrefix("model ") {
      model[String(member.key.dropFirst(6))] = member.value.text
    }
  }
}
