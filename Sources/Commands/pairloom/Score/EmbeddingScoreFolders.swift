public import EmbeddingFiles
public import ShardScoring

extension EmbeddingRows: EmbeddingVectors {}

/// Folders of embeddings, as sources of scores.
enum EmbeddingScoreFolders {
  /// Opens a folder of clip-retrieval's layout.
  ///
  /// - Throws: `EmbeddingFileError`, or ``CommandError`` where one of the towers is missing.
  static func open(_ path: String) throws -> EmbeddingParts {
    let folder = try EmbeddingFolder(path)
    guard let image = folder.image, let text = folder.text else {
      throw CommandError(
        "\(path) has vectors of one tower alone; a score is the cosine of a picture's and a caption's"
      )
    }
    return EmbeddingParts(image: image, text: text, metadata: folder.metadata)
  }
}
