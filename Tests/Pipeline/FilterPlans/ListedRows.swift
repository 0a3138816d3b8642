import FilterPlans
import PipelineCore

/// Pairs in memory, given in batches of some size.
struct ListedRows: FilterRows {
  var uids: [PairUID]
  var values: [String: FilterColumn] = [:]
  var batch = 1_000
  var columns: [String] { Array(values.keys) }

  func forEachBatch(columns: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    for start in stride(from: 0, to: uids.count, by: batch) {
      let range = start..<min(uids.count, start + batch)
      var own: [String: FilterColumn] = [:]
      for name in columns {
        switch values[name] {
        case .numbers(let numbers): own[name] = .numbers(Array(numbers[range]))
        case .texts(let texts): own[name] = .texts(Array(texts[range]))
        case nil: preconditionFailure("\(name) was not offered")
        }
      }
      try body(FilterBatch(uids: Array(uids[range]), columns: own))
    }
  }

  /// The uids that a plan keeps, sorted.
  func kept(_ yaml: String, threads: Int = 1) throws -> [PairUID] {
    let plan = try FilterPlan(yaml: yaml, path: "p.yaml")
    let outcome = try FilterEvaluator.evaluate(plan, over: self, threads: threads)
    return uids.indices.filter { outcome.kept[$0] }.map { uids[$0] }.sorted()
  }

  /// The same pairs in another order.
  func reordered(_ order: [Int]) -> ListedRows {
    var rows = self
    rows.uids = order.map { uids[$0] }
    rows.values = values.mapValues { column in
      switch column {
      case .numbers(let numbers): .numbers(order.map { numbers[$0] })
      case .texts(let texts): .texts(order.map { texts[$0] })
      }
    }
    return rows
  }
}
