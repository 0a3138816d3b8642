public import FilterPlans
public import PipelineCore

/// The columns by which a run's plan may go, and what the plan's names for them mean.
public struct FilterColumns: Sendable, Equatable {
  /// By the name that the plan has for it.
  public var meant: [String: String]

  public init(_ meant: [String: String] = [:]) { self.meant = meant }

  /// Reads `filter.columns`, a list of NAME=COLUMN.
  ///
  /// - Throws: ``RecipeError`` for an item that is no such pair, or a name that comes twice.
  public init(from reader: inout RecipeReader) throws(RecipeError) {
    meant = [:]
    for item in try reader.list("filter.columns") {
      let parts = item.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
        meant.updateValue(parts[1], forKey: parts[0]) == nil
      else {
        throw .badValue(
          key: "filter.columns", value: item,
          expected: "NAME=COLUMN, as in [clip_b32_similarity_score=score], each name once")
      }
    }
  }

  /// What plans call the scorer's cosine.
  static let scoreNames = ["score", "clip_score"]
  /// A list's own column `score`, where there is a scorer.
  static let listScore = "list_score"
  /// The length of what was downloaded, of which the table of transfers tells.
  static let bytesName = "original_bytes"

  /// The columns of a run.
  ///
  /// - Parameters:
  ///   - tables: Those of the tables beside its shards.
  ///   - isScored: Whether there is a scorer.
  ///   - hasTransfers: Whether tables of transfers tell the lengths of what was downloaded.
  /// - Returns: Under all names by which a plan may call them.
  public func columns(tables: [String], isScored: Bool, hasTransfers: Bool) -> PlanColumns {
    var names = tables
    if isScored, let place = names.firstIndex(of: Self.scoreNames[0]) {
      names[place] = Self.listScore
    }
    func add(_ more: [String]) { names += more.filter { !names.contains($0) } }
    if isScored { add(Self.scoreNames) }
    if hasTransfers, tables.contains("row") { add([Self.bytesName]) }
    let there = Set(names)
    add(meant.filter { there.contains($0.value) }.map(\.key).sorted())
    return PlanColumns(
      names, scores: isScored ? [Self.scoreNames[0]] : [], renaming: .recipe)
  }
}
