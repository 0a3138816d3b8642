import Clustering
import EmbeddingFiles
import PipelineCore

/// A pair that was found.
struct SearchHit {
  let row: Int
  let score: Float
  let pair: EmbeddingMetadata

  init(_ neighbour: Neighbour, _ pair: EmbeddingMetadata) {
    row = neighbour.row
    score = neighbour.score
    self.pair = pair
  }

  /// For a person.
  func line(_ rank: Int) -> String {
    "\(rank)\t" + Markup.decimal(Double(score), 4) + "\t"
      + OneLine.text(pair.key.isEmpty ? "row \(row)" : pair.key, longest: 60) + "\t"
      + OneLine.text(pair.caption, longest: 100)
  }

  /// For a program.
  var json: JSONValue {
    .object([
      .init("row", .int(row)), .init("score", .number("\(score)")), .init("uid", .string(pair.uid)),
      .init("key", .string(pair.key)), .init("shard", .string(pair.shard)),
      .init("caption", .string(pair.caption)), .init("url", .string(pair.url)),
    ])
  }
}
