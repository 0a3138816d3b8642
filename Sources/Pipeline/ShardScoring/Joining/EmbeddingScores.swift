import Glibc

/// Vectors of equal width, a row each.
public protocol EmbeddingVectors: Sendable {
  var count: Int { get }
  var width: Int { get }
  /// Some rows, one behind the other.
  func vectors(_ rows: Range<Int>) -> [Float]
}

/// Embeddings of pictures and captions, opened.
public struct EmbeddingParts: Sendable {
  public var image: any EmbeddingVectors
  public var text: any EmbeddingVectors
  /// Tables whose rows, one table after the other, are those of the vectors.
  public var metadata: [String]
  /// What their cosines are called.
  public var column: String

  public init(
    image: any EmbeddingVectors, text: any EmbeddingVectors, metadata: [String],
    column: String = "score"
  ) {
    self.column = column
    self.image = image
    self.text = text
    self.metadata = metadata
  }
}

/// The cosines of pictures and captions out of a folder of embeddings.
struct EmbeddingScores {
  private static let step = 1_024
  private let parts: EmbeddingParts
  private let path: String

  /// - Throws: ``ScoreSourceError/notJoinable(path:problem:)`` where both kinds of vectors do not fit together.
  init(_ parts: EmbeddingParts, path: String) throws {
    self.parts = parts
    self.path = path
    guard parts.image.count == parts.text.count, parts.image.width == parts.text.width else {
      throw ScoreSourceError.notJoinable(
        path: path,
        problem:
          "there are \(parts.image.count) vectors of \(parts.image.width) numbers of pictures,"
          + " and \(parts.text.count) of \(parts.text.width) of captions")
    }
  }

  /// Adds a row for each pair of vectors to `source`, which has the one column.
  func append(to source: inout ScoreSource) throws {
    var row = 0
    var block: [Float?] = []
    source.reserve(min(parts.image.count, 1 << 24))
    for table in parts.metadata {
      let header = try ScoreTableHeader(table)
      guard header.identity == source.identity else {
        throw ScoreSourceError.notJoinable(
          path: table, problem: "it has no column `\(source.identity)`, as the first table has")
      }
      try header.forEachRow { name, _ in
        if row % Self.step == 0 {
          block = cosines(row..<min(row + Self.step, parts.image.count))
        }
        guard row < parts.image.count else { throw mismatch(rows: row + 1) }
        let score = block[row % Self.step]
        try source.append(name) { _ in score.map(Double.init) }
        row += 1
      }
    }
    guard row == parts.image.count else { throw mismatch(rows: row) }
  }

  private func mismatch(rows: Int) -> ScoreSourceError {
    .notJoinable(
      path: path,
      problem: "\(rows) rows of metadata, or more, have a name, and there are"
        + " \(parts.image.count) vectors")
  }

  /// Nil where a vector has no length.
  private func cosines(_ rows: Range<Int>) -> [Float?] {
    guard !rows.isEmpty else { return [] }
    let (image, text) = (parts.image.vectors(rows), parts.text.vectors(rows))
    let width = parts.image.width
    return (0..<rows.count).map { row in
      var (product, imageSquares, textSquares): (Float, Float, Float) = (0, 0, 0)
      for index in row * width..<(row + 1) * width {
        product += image[index] * text[index]
        imageSquares += image[index] * image[index]
        textSquares += text[index] * text[index]
      }
      let cosine = product / (imageSquares * textSquares).squareRoot()
      return cosine.isFinite ? cosine : nil
    }
  }
}
