/// Why shards are not embedded.
public enum ShardEmbeddingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The folder was begun, or made, from other shards, with another model or other options.
  case otherOptions(path: String, differences: [String])
  /// The folder holds something of another kind.
  case outputExists(String)
  case noPairs
  /// A shard has other pairs than when it was counted.
  case changed(shard: String)
  /// The work of an interrupted command cannot be understood.
  case damagedWork(path: String, problem: String)
  /// The model gives something else than numbers.
  case notNumbers(shard: String, key: String)

  public var description: String {
    switch self {
    case .otherOptions(let path, let differences):
      "\(path): this folder was begun with something else:\n"
        + differences.map { "  \($0)\n" }.joined()
        + "Use the old shards, model and options to go on with it, name another --out, or remove the folder."
    case .outputExists(let path):
      "\(path): there is something already. Name a folder that is new or empty."
    case .noPairs: "the shards hold no pair with a picture: are they WebDataset tars?"
    case .changed(let shard):
      "\(shard): it holds other pairs than when they were counted: the shard was changed. Remove the"
        + " output's folder and run the same command again."
    case .damagedWork(let path, let problem):
      "\(path): \(problem). Remove the file and run the same command again."
    case .notNumbers(let shard, let key):
      "\(shard): the vectors of \(key) are no numbers: the weights are damaged, or are not of this"
        + " configuration. Check them with `pairloom model info`."
    }
  }
}
