/// The table of scores that a run and `pairloom score` write: uid, key and the plain cosine of each pair,
/// with what made them in the footer.
public enum ScoreTable {
  /// Of a table in which every pair has a score.
  public static let columns = [
    TableColumn("uid", .text, isOptional: false), TableColumn("key", .text, isOptional: false),
    TableColumn("score", .float, isOptional: false),
  ]

  /// The columns of a table.
  ///
  /// - Parameters:
  ///   - hasFaults: Whether pairs may be without a score: then `fault` and `detail` say why.
  ///   - hasKinds: Whether `kind` says what kind of number each is.
  /// - Returns: ``columns``, and what is asked for.
  public static func columns(hasFaults: Bool, hasKinds: Bool) -> [TableColumn] {
    [columns[0], columns[1], TableColumn("score", .float, isOptional: hasFaults)]
      + (hasKinds ? [TableColumn("kind", .text)] : [])
      + (hasFaults ? [TableColumn("fault", .text), TableColumn("detail", .text)] : [])
  }

  public static func row(uid: String, key: String, score: Float) -> JSONValue {
    row(uid: uid, key: key, PairScore(score))
  }

  public static func row(uid: String, key: String, _ outcome: PairScore) -> JSONValue {
    var members: [JSONValue.Member] = [.init("uid", .string(uid)), .init("key", .string(key))]
    if let score = outcome.score { members.append(.init("score", .number("\(score)"))) }
    if let kind = outcome.kind { members.append(.init("kind", .string(kind))) }
    if let fault = outcome.fault {
      members.append(.init("fault", .string(fault.reason)))
      members.append(.init("detail", .string(fault.detail)))
    }
    return .object(members)
  }

  /// What tells of the program, and not of the scores.
  public static let programFact = "program"

  /// The scorer and its provenance, by name, what else is known of it, and the program.
  public static func metadata(of scorer: any PairScorer) -> [(key: String, value: String)] {
    metadata(scorer.name, scorer.provenance, scorer.facts)
  }

  /// As ``metadata(of:)-(PairScorer)``, of the cosines of an embedder's vectors.
  public static func metadata(of embedder: any PairEmbedder) -> [(key: String, value: String)] {
    metadata(embedder.name, embedder.provenance, embedder.facts)
  }

  private static func metadata(
    _ name: String, _ provenance: [String: String], _ facts: [String: String]
  ) -> [(key: String, value: String)] {
    let others = facts.filter { provenance[$0.key] == nil }
    return [("scorer", name)]
      + (provenance.sorted { $0.key < $1.key } + others.sorted { $0.key < $1.key })
      .map { ($0.key, $0.value) }
      + [(programFact, "pairloom \(ProgramVersion.current)")]
  }
}
