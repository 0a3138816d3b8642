import DurableFiles

/// A folder of embeddings in clip-retrieval's layout.
///
/// `img_emb/img_emb_N.npy`, `text_emb/text_emb_N.npy` and `metadata/metadata_N.parquet`, N from 0 or, as
/// clip-retrieval writes it, with zeros in front; row i of all three is one pair. Either kind of vectors may be
/// missing, and the metadata. A single `.npy` file is taken as well, as vectors of pictures.
///
/// Source: clip-retrieval, clip_inference/writer.py.
public struct EmbeddingFolder: Sendable {
  /// Whose vectors.
  public enum Tower: String, Sendable, CaseIterable {
    case image, text

    /// The folder, and the stem of the files in it.
    public var stem: String {
      switch self {
      case .image: "img_emb"
      case .text: "text_emb"
      }
    }
  }

  public let path: String
  /// The vectors of pictures and of captions; of equal count where both are there.
  public let image: EmbeddingRows?
  public let text: EmbeddingRows?
  /// The tables beside the vectors, one for each part; empty where there are none.
  public let metadata: [String]
  public let count: Int

  /// - Throws: ``EmbeddingFileError`` where nothing is there, or parts do not fit together.
  public init(_ path: String) throws(EmbeddingFileError) {
    guard DurableFile.isFolder(path) else {
      let rows = try EmbeddingRows([try NumpyRows(path: path)])
      (self.path, image, text, metadata, count) = (path, rows, nil, [], rows.count)
      return
    }
    self.path = path
    let images = try Self.parts(of: path, Tower.image.stem, ".npy")
    let texts = try Self.parts(of: path, Tower.text.stem, ".npy")
    image = try Self.rows(images)
    text = try Self.rows(texts)
    guard let count = image?.count ?? text?.count else {
      throw EmbeddingFileError(
        path: path, .missing("no img_emb/img_emb_0.npy and no text_emb/text_emb_0.npy are there"))
    }
    if let image, let text, image.count != text.count {
      throw EmbeddingFileError(
        path: path, .mismatch("\(image.count) vectors of pictures and \(text.count) of captions"))
    }
    self.count = count
    metadata = try Self.parts(of: path, "metadata", ".parquet")
    let parts = max(images.count, texts.count)
    guard metadata.isEmpty || metadata.count == parts else {
      throw EmbeddingFileError(
        path: path, .mismatch("\(metadata.count) tables of metadata for \(parts) parts"))
    }
  }

  /// Whether a path holds embeddings, as far as its names tell.
  public static func isEmbeddings(_ path: String) -> Bool {
    guard DurableFile.isFolder(path) else { return path.hasSuffix(".npy") }
    return Tower.allCases.contains { DurableFile.isFolder("\(path)/\($0.stem)") }
  }

  public func vectors(_ tower: Tower) -> EmbeddingRows? { tower == .image ? image : text }

  /// The path of a part's file.
  public static func part(_ number: Int, _ stem: String, _ ending: String, in folder: String)
    -> String
  {
    "\(folder)/\(stem)/\(stem)_\(number)\(ending)"
  }

  private static func rows(_ paths: [String]) throws(EmbeddingFileError) -> EmbeddingRows? {
    guard !paths.isEmpty else { return nil }
    var parts: [NumpyRows] = []
    for path in paths { parts.append(try NumpyRows(path: path)) }
    return try EmbeddingRows(parts)
  }

  /// The numbered files of a kind, which follow one another from 0.
  private static func parts(
    of folder: String, _ stem: String, _ ending: String
  ) throws(EmbeddingFileError) -> [String] {
    let place = "\(folder)/\(stem)"
    var numbered: [(number: Int, name: String)] = []
    do throws(FileError) {
      for name in try DurableFile.names(in: place) {
        guard name.hasPrefix(stem + "_"), name.hasSuffix(ending),
          let number = Int(name.dropFirst(stem.count + 1).dropLast(ending.count)), number >= 0
        else { continue }
        numbered.append((number, name))
      }
    } catch {
      throw EmbeddingFileError(path: place, .file(error))
    }
    numbered.sort { $0.number < $1.number }
    for (index, part) in numbered.enumerated() where part.number != index {
      throw EmbeddingFileError(
        path: place, .mismatch("part \(index) is missing before \(part.name)"))
    }
    return numbered.map { "\(place)/\($0.name)" }
  }
}
