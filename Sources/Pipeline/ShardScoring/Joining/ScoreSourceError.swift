public import PipelineCore

/// Why scores that were made elsewhere are not joined.
public enum ScoreSourceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing is there that could be joined.
  case nothing(String)
  /// The table has nothing to join by, or nothing to join.
  case notJoinable(path: String, problem: String)
  /// Two tables have one column, and were made by different models.
  case otherModel(path: String, other: String, differences: [String])
  /// Two kinds of tables have one column.
  case sameColumn(String, path: String, other: String)
  case noSuchColumn(String, columns: [String])
  /// Several pairs of the tables have one key, and other numbers.
  case ambiguousKey(String, path: String)
  /// The scores are good for one cut, and another is asked for.
  case decided(cut: String)
  /// No pair found a score.
  case nothingJoined(pairs: Int, rows: Int, by: String)

  public var description: String {
    switch self {
    case .nothing(let path):
      "\(path): there are no scores: neither a Parquet table nor a folder of tables, nor one of"
        + " clip-retrieval's (img_emb, text_emb, metadata), nor DataComp's .npz."
    case .notJoinable(let path, let problem):
      "\(path): \(problem). Scores are columns of numbers beside a column `uid`, `key` or `url`."
    case .otherModel(let path, let other, let differences):
      "\(path): its scores and those of \(other) were made by two models, or in two ways:\n"
        + differences.map { "  \($0)\n" }.joined()
        + "Name the tables of one of them. Scores of two models are never mixed."
    case .sameColumn(let column, let path, let other):
      "\(path): it has a column `\(column)`, as \(other) has, and is a table of another kind. Name the"
        + " tables of one of them."
    case .noSuchColumn(let column, let columns):
      "there is no column `\(column)` among the scores; there are \(columns.joined(separator: ", "))."
    case .ambiguousKey(let key, let path):
      "\(path): the key \(key) comes several times, with other numbers: keys tell pairs of one shard apart, and"
        + " these tables are of several. Make them with a column `uid` or `url`, or filter a shard at a time."
    case .decided(let cut):
      "these scores were made for one cut alone, \(cut): away from it they are of int8, and another cut of"
        + " them would keep other pairs than exact scores. Go by what that cut has kept, the column `kept`"
        + " (in a plan `- min: {column: kept, value: 1}`), or score without --precision int8."
    case .nothingJoined(let pairs, let rows, let by):
      "none of \(pairs) pairs found a score among \(rows) rows joined by \(by): these are the scores of"
        + " other pairs, or their \(by) is written in another way."
    }
  }
}

/// Every other chunk of a run would meet it, too.
extension ScoreSourceError: RunFault {}
