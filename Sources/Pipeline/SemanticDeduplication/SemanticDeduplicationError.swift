public import EmbeddingFiles

/// Why shards are not freed of semantic duplicates.
public enum SemanticDeduplicationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The folder has no vectors of the kind that is asked for.
  case noVectors(String, EmbeddingFolder.Tower)
  /// The rows of the embeddings have neither uids nor keys.
  case noNames(String)
  /// Pairs of the embeddings are not in the shards.
  case otherShards(missing: Int, embeddings: String)
  /// The output's folder holds something of another kind.
  case outputExists(String)

  public var description: String {
    switch self {
    case .noVectors(let path, let tower):
      "\(path): there are no vectors of \(tower == .image ? "pictures" : "captions")"
        + " (\(tower.stem)/). Choose with --by image or --by text."
    case .noNames(let path):
      "\(path): its metadata has no uid, key or image_path, so its rows are not known in the shards. Use"
        + " --plan, or embed the shards with `pairloom embed`."
    case .otherShards(let missing, let embeddings):
      "\(missing) duplicates of \(embeddings) are in none of the shards. Name the shards that were embedded."
    case .outputExists(let path):
      "\(path): there is something already. Name a folder that is new or empty."
    }
  }
}
