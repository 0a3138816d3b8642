import FilterPlans

/// Pairs to be judged, with their uids as they are written.
protocol JudgedRows: FilterRows {
  /// Calls `body` with the uid of every pair, in order.
  func forEachUID(_ body: (String) throws -> Void) throws
}

/// Where the columns that a plan names come from.
struct ColumnSources {
  /// What a person calls a column, by the name of the plan.
  let aliases: [String: String]
  let scores: JoinedScores?
  /// The columns of the pairs' own tables.
  let own: [String]

  init(aliases: [String: String], scores: JoinedScores?, own: [String]) {
    let there = own + (scores?.columns ?? [])
    var aliases = aliases
    // The one column of `pairloom score`, by the name that plans have for it.
    if aliases["clip_score"] == nil, !there.contains("clip_score"), there.contains("score") {
      aliases["clip_score"] = "score"
    }
    (self.aliases, self.scores, self.own) = (aliases, scores, own)
  }

  var columns: [String] {
    let there = own + (scores?.columns ?? [])
    return there + aliases.filter { there.contains($0.value) }.map(\.key)
  }

  /// The pairs' own columns among those that are wanted.
  func ownColumns(of wanted: Set<String>) -> [String] {
    Set(wanted.map { aliases[$0] ?? $0 }).intersection(own).sorted()
  }

  /// Whether any column is to be joined.
  func needsJoin(_ wanted: Set<String>) -> Bool {
    wanted.contains { !own.contains(aliases[$0] ?? $0) }
  }

  /// The batch with the columns that are wanted, under the plan's names.
  ///
  /// - Parameters:
  ///   - uids: Of the pairs.
  ///   - keys: What the scores are joined by; nil where they go by uids.
  ///   - columns: The pairs' own.
  ///   - wanted: Names of the plan.
  /// - Returns: The batch; what is found nowhere is left out.
  func batch(
    _ uids: [PairUID], keys: [PairUID]?, columns: [String: FilterColumn], wanted: Set<String>
  ) -> FilterBatch {
    var found: [String: FilterColumn] = [:]
    let joined = needsJoin(wanted)
    let rows = joined ? scores.map { scores in (keys ?? uids).map { scores.row(of: $0) } } : nil
    for name in wanted {
      let actual = aliases[name] ?? name
      if let column = columns[actual] {
        found[name] = column
      } else if let rows {
        found[name] = scores?.column(actual, at: rows)
      }
    }
    return FilterBatch(uids: uids, columns: found)
  }
}
