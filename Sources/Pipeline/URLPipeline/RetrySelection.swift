public import PipelineCore
import TableQuery

/// How many rows an expression holds for, and what a retry does with them.
public struct RetrySelection: Sendable, Equatable {
  /// Rows for which the expression holds.
  public var matched = 0
  /// Those that are asked for again, by the reason for which they were dropped.
  public var mayHeal: [DropReason: Int] = [:]
  /// Those whose body had come, only to be no picture.
  public var fetched = 0
  /// Those whose failure passes by itself.
  public var transient = 0
  /// Those that are left out whatever the expression says, by why.
  public var leftOut: [String: Int] = [:]

  public init() {}

  /// All that are asked for again.
  public var count: Int { mayHeal.values.reduce(0, +) }

  /// Looks at every row of a run.
  ///
  /// - Parameters:
  ///   - reader: The rows.
  ///   - query: The expression.
  ///   - onCandidate: Given the rows to ask for again, in order of chunk and row, whether their
  ///     body had come and whether their failure passes by itself.
  /// - Returns: The counts.
  /// - Throws: What the tables lack, what the expression cannot be asked, and what `onCandidate` throws.
  static func make(
    _ reader: FetchTableReader, _ query: TableQuery,
    onCandidate: (PairCandidate, DropReason, _ wasFetched: Bool, _ isTransient: Bool) throws ->
      Void = { _, _, _, _ in }
  ) throws -> RetrySelection {
    var selection = RetrySelection()
    for chunk in reader.chunks {
      let entries = try reader.entries(of: chunk)
      for index in try query.matches(entries.map { $0.values(chunk: chunk) }) {
        selection.matched += 1
        let standing = entries[index].standing
        if case .failed(let reason, let wasFetched) = standing {
          selection.mayHeal[reason, default: 0] += 1
          if wasFetched { selection.fetched += 1 }
          let isTransient = entries[index].fetched?.failureClass == .transient
          if isTransient { selection.transient += 1 }
          try onCandidate(entries[index].candidate, reason, wasFetched, isTransient)
        } else if let words = standing.words {
          selection.leftOut[words, default: 0] += 1
        }
      }
    }
    return selection
  }
}
