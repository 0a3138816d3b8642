import FilterPlans
import PipelineCore
import ShardScoring

/// Pairs to be judged, with their uids as they are written.
protocol JudgedRows: FilterRows {
  /// Where the columns come from.
  var sources: ColumnSources { get }
  /// Calls `body` with the uid of every pair, in order.
  func forEachUID(_ body: (String) throws -> Void) throws
}

/// Where the columns that a plan names come from.
struct ColumnSources {
  /// What a person calls a column, by the name of the plan.
  let aliases: [String: String]
  let scores: ScoreSources?
  /// The columns of the pairs' own tables, but those that ``scores`` have: who names tables means theirs.
  let own: [String]

  init(aliases: [String: String], scores: ScoreSources?, own: [String]) {
    let there = own + (scores?.columns ?? [])
    var aliases = aliases
    // The one column of `pairloom score`, by the name that plans have for it.
    if aliases["clip_score"] == nil, !there.contains("clip_score"), there.contains("score") {
      aliases["clip_score"] = "score"
    }
    (self.aliases, self.scores) = (aliases, scores)
    let joined = Set(scores?.columns ?? [])
    self.own = own.filter { !joined.contains($0) }
  }

  var columns: [String] {
    let there = own + (scores?.columns ?? [])
    return there + aliases.filter { there.contains($0.value) }.map(\.key)
  }

  /// The same, with those that a score may be meant by.
  var planColumns: PlanColumns { PlanColumns(columns, scores: scores?.columns ?? []) }

  /// The pairs' own columns among those that are wanted.
  func ownColumns(of wanted: Set<String>) -> [String] {
    Set(wanted.map { aliases[$0] ?? $0 }).intersection(own).sorted()
  }

  /// Whether any column is to be joined.
  func needsJoin(_ wanted: Set<String>) -> Bool {
    wanted.contains { !own.contains(aliases[$0] ?? $0) }
  }

  /// Whether the pairs' names of a kind are needed for the join.
  func needs(_ name: JoinColumn, for wanted: Set<String>) -> Bool {
    needsJoin(wanted) && scores?.identities.contains(name) == true
  }

  /// A join to be used for one pass; nil where nothing is joined.
  func join(for wanted: Set<String>) -> ScoreJoin? {
    needsJoin(wanted) ? scores.map { ScoreJoin($0) } : nil
  }

  /// The batch with the columns that are wanted, under the plan's names.
  ///
  /// - Parameters:
  ///   - uids: Of the pairs.
  ///   - names: What scores are joined by.
  ///   - columns: The pairs' own.
  ///   - wanted: Names of the plan.
  ///   - join: Counts what is found.
  /// - Returns: The batch; columns that are nowhere are left out.
  /// - Throws: ``ScoreSourceError``.
  func batch(
    _ uids: [PairUID], names: [PairNames], columns: [String: FilterColumn], wanted: Set<String>,
    join: inout ScoreJoin?
  ) throws -> FilterBatch {
    var found: [String: FilterColumn] = [:]
    for name in wanted {
      let actual = aliases[name] ?? name
      if let column = columns[actual] {
        found[name] = column
      } else if scores?.columns.contains(actual) == true {
        found[name] = try (join?.values(of: actual, for: names)).map { .numbers($0) }
      }
    }
    return FilterBatch(uids: uids, columns: found)
  }
}
