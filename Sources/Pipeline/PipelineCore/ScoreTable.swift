/// The table of scores that a run and `pairloom score` write: uid, key and the plain cosine of each pair,
/// with what made them in the footer.
public enum ScoreTable {
  public static let columns = [
    TableColumn("uid", .text, isOptional: false), TableColumn("key", .text, isOptional: false),
    TableColumn("score", .float, isOptional: false),
  ]

  public static func row(uid: String, key: String, score: Float) -> JSONValue {
    .object([
      .init("uid", .string(uid)), .init("key", .string(key)),
      .init("score", .number("\(score)")),
    ])
  }

  /// The scorer and its provenance, by name.
  public static func metadata(of scorer: any PairScorer) -> [(key: String, value: String)] {
    [("scorer", scorer.name)]
      + scorer.provenance.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
