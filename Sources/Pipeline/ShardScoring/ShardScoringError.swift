/// Why shards are not scored.
public enum ShardScoringError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The table has scores of another model, or of the same model used otherwise.
  case otherModel(path: String, differences: [String])
  /// The table has scores of other shards.
  case otherShards(String)
  /// There is a file that is no table of scores.
  case foreignTable(path: String, problem: String)
  /// Something that this program has not made stands where the work would go.
  case foreignFolder(String)
  /// The model's score of a pair is no number.
  case notANumber(shard: String, key: String, score: String)
  /// A table that was just there cannot be read.
  case lost(String)
  case noShards

  public var description: String {
    switch self {
    case .otherModel(let path, let differences):
      "\(path): these scores were made by another model, or in another way:\n"
        + differences.map { "  \($0)\n" }.joined()
        + "Name another --out, or use the model of before. Scores of two models are never mixed."
    case .otherShards(let path):
      "\(path): these are the scores of other shards. Name another --out, or remove the table."
    case .foreignTable(let path, let problem):
      "\(path): the scores would go here, and there is a file that is no table of scores (\(problem))."
        + " Name another --out, or move it away."
    case .foreignFolder(let path):
      "\(path): the scores would grow here, and there is something that score has not made. Name"
        + " another --out, or move that away."
    case .notANumber(let shard, let key, let score):
      "\(shard): the score of \(key) is \(score): the weights are damaged, or are not of this"
        + " configuration. Check them with `pairloom model info`."
    case .lost(let path):
      "\(path): the table was changed while the command ran. Run the same command again."
    case .noShards: "there are no shards to score. Name files, folders or patterns."
    }
  }
}
