import ContentHashing
public import PairDataset
public import PipelineCore
import Synchronization

/// Gives pairs the scores that tables have for them: a scorer that needs no model.
public final class TableScorer: PairScorer {
  public let name = "tables"
  public let provenance: [String: String]
  public let facts: [String: String]
  private let column: String
  private let join: Mutex<ScoreJoin>

  /// What a person should know of the tables.
  public let warnings: [String]

  /// Pairs that were asked for, and those that a table knows.
  public var joined: (pairs: Int, found: Int) { join.withLock { ($0.pairs, $0.found) } }

  /// - Parameters:
  ///   - paths: As ``ScoreSources`` takes them.
  ///   - column: The numbers to take; nil for `score`, or for the only column.
  ///   - openEmbeddings: As ``ScoreSources`` takes it.
  /// - Throws: As ``ScoreSources`` does.
  public init(
    _ paths: [String], column: String? = nil, openEmbeddings: ScoreSources.EmbeddingOpener? = nil
  ) throws {
    let sources = try ScoreSources(
      paths, columns: column.map { [$0] }, openEmbeddings: openEmbeddings)
    let columns = sources.columns
    guard let chosen = column ?? (columns.count == 1 ? columns[0] : columns.first { $0 == "score" })
    else { throw ScoreSourceError.noSuchColumn("score", columns: columns) }
    self.column = chosen
    warnings = sources.warnings
    provenance = ["column": chosen, "tables": try Self.digest(paths)]
    // Of tables of one model the footer says what a pass of that model would have said.
    facts = (sources.provenances.first?.values ?? [:]).reduce(into: [:]) { facts, fact in
      facts["tables.\(fact.key)"] = fact.value
    }
    join = Mutex(ScoreJoin(sources))
  }

  public func scores(of pairs: [Pair]) async throws -> [Float] {
    try await outcomes(of: pairs).map { $0.score ?? -.greatestFiniteMagnitude }
  }

  public func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    let names = pairs.map { PairNames($0) }
    let values = try join.withLock { join in
      let values = try join.values(of: column, for: names)
      if join.pairs >= Self.enough { try join.requireSome() }
      return values
    }
    return values.map { value in
      guard let value else { return PairScore(Self.missing) }
      let score = Float(value)
      return score.isFinite ? PairScore(score) : PairScore(Self.tooLarge)
    }
  }

  /// Pairs after which tables that know none of them are taken for those of another set.
  static let enough = 1_000

  static let tooLarge = PairScore.Fault(
    reason: "too_large", detail: "the table's number is too large for a score")

  static let missing = PairScore.Fault(
    reason: "not_in_tables", detail: "no table has a score of this pair")

  /// SHA-256 over the content of all files, in their order.
  private static func digest(_ paths: [String]) throws -> String {
    var lines: [String] = []
    for path in paths {
      for file in try ScoreSources.files(path) {
        lines.append(try ShardIdentity(of: file).sha256 + "\n")
      }
    }
    return ContentHash.sha256Hex(Array(lines.joined().utf8))
  }
}
