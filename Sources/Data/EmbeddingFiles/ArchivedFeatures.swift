import DurableFiles
import ParquetFile

/// The vectors of one model out of archives that belong together, and the tables beside them.
struct ArchivedFeatures {
  let image: EmbeddingRows?
  let text: EmbeddingRows?
  /// One for each archive, or none.
  let tables: [String]
  let count: Int

  /// - Parameters:
  ///   - archives: In order.
  ///   - path: Names them in errors.
  ///   - wanted: The model; nil for the only one.
  /// - Throws: ``EmbeddingFileError`` where the choice is not clear, or rows do not fit together.
  init(
    _ archives: [FeatureArchive], of path: String, model wanted: String?
  ) throws(EmbeddingFileError) {
    let models = archives[0].models
    guard let model = wanted ?? (models.count == 1 ? models[0] : nil) else {
      throw EmbeddingFileError(
        path: path,
        .missing(
          "there are vectors of \(models.joined(separator: " and ")). Choose with --features \(models[0])"
        ))
    }
    var (images, texts): ([NumpyRows], [NumpyRows]) = ([], [])
    var tables: [String] = []
    for archive in archives {
      let image = try archive.rows(model, .image)
      let text = try archive.rows(model, .text)
      guard let rows = image?.rows ?? text?.rows else {
        throw EmbeddingFileError(
          path: archive.path,
          .missing(
            "it has no vectors of `\(model)`, but of \(archive.models.joined(separator: ", "))"))
      }
      if let image, let text, image.rows != text.rows {
        throw EmbeddingFileError(
          path: archive.path,
          .mismatch("\(image.rows) vectors of pictures and \(text.rows) of captions"))
      }
      if let image { images.append(image) }
      if let text { texts.append(text) }
      guard let table = archive.table else { continue }
      tables.append(table)
      let count: Int
      do throws(ParquetError) { count = try ParquetReader(path: table).rowCount } catch {
        throw EmbeddingFileError(path: table, .table(error))
      }
      guard count == rows else {
        throw EmbeddingFileError(
          path: archive.path, .mismatch("\(rows) vectors, and \(count) rows in \(table)"))
      }
    }
    for (parts, name) in [(images, "pictures"), (texts, "captions")]
    where !parts.isEmpty && parts.count != archives.count {
      throw EmbeddingFileError(
        path: path, .mismatch("\(parts.count) of \(archives.count) files have vectors of \(name)"))
    }
    guard tables.isEmpty || tables.count == archives.count else {
      throw EmbeddingFileError(
        path: path, .mismatch("\(tables.count) tables for \(archives.count) .npz files"))
    }
    image = images.isEmpty ? nil : try EmbeddingRows(images)
    text = texts.isEmpty ? nil : try EmbeddingRows(texts)
    count = image?.count ?? text?.count ?? 0
    self.tables = tables
  }
}
