package import FilterPlans
package import FilterStage
import IngestStage
import JobLedger
import PipelineCore
import ShardStage

extension PipelineRun {
  /// The rules of the filter's plan that are left out, as their columns will not be there, in a sentence each.
  ///
  /// Known before anything is downloaded, where the list's heads tell all its columns: those of CSV, TSV and
  /// Parquet do.
  ///
  /// - Returns: None where nothing is left out, or where the list's rows alone tell.
  /// - Throws: `FilterPlanError` where the plan does not leave rules out; what is wrong with the list.
  public func leftOutRules() throws -> [String] {
    guard case .plan = recipe.filter, let list = try ListSample.columns(of: recipe.ingest) else {
      return []
    }
    return try leftOut(
      list: list.names.map { TableColumn($0, .json) }, hasCaptions: list.hasCaptions)
  }

  /// The same once the list is taken in.
  func leftOutRules(after folder: RunFolder) throws -> [String] {
    guard case .plan = recipe.filter else { return [] }
    return try leftOut(
      list: try ListColumns.read(folder), hasCaptions: try ListColumns.haveCaptions(folder))
  }

  private func leftOut(list: [TableColumn], hasCaptions: Bool) throws -> [String] {
    guard case .plan(let plan) = recipe.filter else { return [] }
    let tables = recipe.shardStage.columns(list: list, hasCaptions: hasCaptions)
    let columns = recipe.filterColumns.columns(
      tables: tables.map(\.name), isScored: scorer != nil,
      hasTransfers: recipe.shard.layout != .img2dataset)
    return try plan.check(columns).map { "\(plan.path) goes without \"\($0.rule)\": \($0.why)" }
  }
}

/// The pairs that the filter of a finished run has judged, for who tells of it.
package struct JudgedPairs: Sendable {
  /// The filter, as a plan.
  package var plan: FilterPlan
  package var rows: ShardRows
  /// The chunks whose shards they are, in order.
  package var chunks: [Int]
  /// Whether some were judged later than others, by a retry.
  package var isRetried: Bool

  /// Nil where nothing is filtered, yet or at all.
  ///
  /// - Parameter folder: A run's.
  /// - Throws: What is wrong with the folder's ledger or tables.
  package init?(of folder: String) async throws {
    let recipe = try await PipelineRun.recipe(of: folder)
    guard let plan = recipe.filter.plan else { return nil }
    let ledger = try await PipelineRun.openLedger(folder)
    let run = StageContext(folder: RunFolder(folder), ledger: ledger)
    let scorer = try await ledger.configuration().first { $0.key == "scorer" }?.value
    var chunks = try await run.reports(.shard).filter { $0.report.shard != nil }.map(\.chunk)
    if scorer != nil {
      let scored = Set(try await run.reports(.score).map(\.chunk))
      chunks.removeAll { !scored.contains($0) }
    }
    let judgements = try await run.reports(.filter).count
    guard judgements > 0, !chunks.isEmpty else { return nil }
    let isForeign = recipe.shard.layout == .img2dataset
    let downloads = isForeign ? [] : try await run.reports(.download)
    let attempts = downloads.map { ($0.chunk, $0.report.facts[StageReport.attemptFact]) }
    self.plan = plan
    self.chunks = chunks.sorted()
    rows = try ShardRows(
      self.chunks, in: run.folder, scorer: scorer, names: recipe.filterColumns,
      attempts: Dictionary(attempts, uniquingKeysWith: { $1 }).compactMapValues { $0 })
    isRetried = judgements > 1
  }
}
