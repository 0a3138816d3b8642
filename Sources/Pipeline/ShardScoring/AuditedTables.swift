import AuditedScores
import ContentHashing
import PipelineCore

/// The tables that an audited scoring ends in: each pair's score, its kind, and whether it is kept.
struct AuditedTables: Sendable {
  static let keptColumn = "kept"

  let scorer: any RescoringPairScorer
  let cut: ScoreCut
  let audit: ScoreAudit

  static let columns =
    ScoreTable.columns(hasFaults: true, hasKinds: true)
    + [TableColumn(keptColumn, .bool, isOptional: false)]

  private var decided: [(key: String, value: String)] {
    [("cut", "\(cut)"), ("audit", "\(audit)")]
  }

  /// By which tables of this model, cut and audit are known.
  var provenance: ScoreProvenance {
    ScoreProvenance(
      Dictionary((ScoreTable.metadata(of: scorer) + decided).map { ($0.key, $0.value) }) { $1 })
  }

  /// What all final tables have in their footers.
  func facts(
    _ report: ScoreAuditReport, shards: Int, digest: String
  ) -> [(key: String, value: String)] {
    ScoreTable.metadata(of: scorer) + decided + report.metadata + [
      (key: "shards", value: "\(shards)"), (key: Self.digestFact, value: digest),
    ]
  }

  static let digestFact = "shards_sha256"

  /// SHA-256 over the shards' digests in their order: the cut is over all of them.
  static func digest(_ identities: [ShardIdentity]) -> String {
    ContentHash.sha256Hex(Array(identities.map { "\($0.sha256)\n" }.joined().utf8))
  }

  /// Writes the table of one shard.
  ///
  /// - Parameters:
  ///   - int8: Its table of bytes, in whose rows only the scores change.
  ///   - range: Its pairs among all.
  ///   - result: Of the cut.
  ///   - facts: For the footer, without what tells of the shard.
  ///   - identity: Of the shard.
  ///   - path: Where the table goes.
  /// - Throws: What is damaged, what the disk refuses.
  func write(
    _ int8: String, _ range: Range<Int>, _ result: AuditedCut.Result,
    facts: [(key: String, value: String)], of identity: ShardIdentity, to path: String
  ) throws {
    let given = try PairTable.read(int8)
    guard given.count == range.count else { throw ShardScoringError.lost(int8) }
    var digest = RowsDigest()
    let rows = zip(range, given).map { index, row in
      var members = row.members.filter { !["score", "kind", Self.keptColumn].contains($0.key) }
      if let kind = result.kinds[index] {
        members.append(.init("score", .number("\(result.scores[index])")))
        members.append(.init("kind", .string(kind.rawValue)))
      }
      members.append(.init(Self.keptColumn, .bool(result.kept[index])))
      let row = JSONValue.object(members)
      digest.add(row)
      return row
    }
    try PairTable.write(
      rows, columns: Self.columns, to: path,
      metadata: facts + identity.facts + [
        (key: "pairs", value: "\(rows.count)"), (key: RowsDigest.fact, value: digest.finish()),
      ])
  }
}
