import DurableFiles

/// A folder of embeddings in clip-retrieval's layout.
///
/// `img_emb/img_emb_N.npy`, `text_emb/text_emb_N.npy` and `metadata/metadata_N.parquet`, N from 0 or, as
/// clip-retrieval writes it, with zeros in front; row i of all three is one pair. Either kind of vectors may be
/// missing, and the metadata. A single `.npy` file is taken as well, as vectors of pictures; and DataComp's
/// metadata, a `.npz` file or a folder of them with tables of the same names (``FeatureArchive``).
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

  /// - Parameters:
  ///   - path: A folder, a `.npy` or a `.npz` file.
  ///   - model: Whose vectors, where archives have those of several, as in `b32`.
  /// - Throws: ``EmbeddingFileError`` where nothing is there, or parts do not fit together.
  public init(_ path: String, model: String? = nil) throws(EmbeddingFileError) {
    let archives = try Self.archives(path)
    if !archives.isEmpty {
      let features = try ArchivedFeatures(archives, of: path, model: model)
      (self.path, image, text) = (path, features.image, features.text)
      (metadata, count) = (features.tables, features.count)
      return
    }
    if let model {
      throw EmbeddingFileError(
        path: path, .missing("there is no .npz file, which could have vectors of `\(model)`"))
    }
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
    guard DurableFile.isFolder(path) else {
      return path.hasSuffix(".npy") || path.hasSuffix(FeatureArchive.ending)
    }
    if Tower.allCases.contains(where: { DurableFile.isFolder("\(path)/\($0.stem)") }) {
      return true
    }
    // What cannot be listed is told of by who reads it.
    do throws(FileError) { return try !FeatureArchive.paths(path).isEmpty } catch { return false }
  }

  /// The archives of a path that is no folder of clip-retrieval's.
  private static func archives(_ path: String) throws(EmbeddingFileError) -> [FeatureArchive] {
    guard !Tower.allCases.contains(where: { DurableFile.isFolder("\(path)/\($0.stem)") }) else {
      return []
    }
    let paths: [String]
    do throws(FileError) { paths = try FeatureArchive.paths(path) } catch {
      throw EmbeddingFileError(path: path, .file(error))
    }
    var archives: [FeatureArchive] = []
    for path in paths { archives.append(try FeatureArchive(path)) }
    return archives
  }

  /// The models of which archives have vectors; none where there are no archives.
  ///
  /// - Throws: ``EmbeddingFileError``.
  public static func models(of path: String) throws(EmbeddingFileError) -> [String] {
    try archives(path).first?.models ?? []
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
