public import EmbeddingFiles
public import ShardScoring

extension EmbeddingRows: EmbeddingVectors {}

/// Embeddings as sources of scores.
enum EmbeddingScoreFolders {
  /// Opens a folder of clip-retrieval's layout, or DataComp's archives of features.
  ///
  /// The cosines of an archive's model `b32` are `clip_b32_similarity_score`, as in DataComp's tables.
  ///
  /// - Parameters:
  ///   - path: A folder or a `.npz` file.
  ///   - known: Columns that are had already: what they would come from is not opened.
  /// - Returns: Pictures and captions of each model.
  /// - Throws: `EmbeddingFileError`, or ``CommandError`` where one of the towers is missing.
  static func open(_ path: String, without known: Set<String>) throws -> [EmbeddingParts] {
    let models = try EmbeddingFolder.models(of: path)
    guard !models.isEmpty else { return [try parts(EmbeddingFolder(path), column: "score")] }
    return try models.map { (model: $0, column: "clip_\($0)_similarity_score") }
      .filter { !known.contains($0.column) }
      .map { try parts(EmbeddingFolder(path, model: $0.model), column: $0.column) }
  }

  private static func parts(_ folder: EmbeddingFolder, column: String) throws -> EmbeddingParts {
    guard let image = folder.image, let text = folder.text else {
      throw CommandError(
        "\(folder.path) has vectors of one tower alone; a score is the cosine of a picture's and a"
          + " caption's")
    }
    return EmbeddingParts(
      image: image, text: text, metadata: folder.metadata, column: column)
  }
}
