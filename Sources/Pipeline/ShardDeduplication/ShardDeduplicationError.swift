/// Why shards are not freed of duplicates.
public enum ShardDeduplicationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The output's folder holds something of another kind.
  case outputExists(String)
  /// The folder was begun, or made, with other options.
  case otherOptions(path: String, differences: [String])
  /// Something that this program has not made stands where the output would grow.
  case foreignPart(String)
  /// A shard to be read lies where the output grows.
  case inputInPart(input: String, part: String)
  case noPairs
  /// A shard has other pairs than when its pictures were looked at.
  case changed(shard: String, key: String)
  case noShards(String)
  case noSignatures(String)
  /// A folder with pictures and shards, of which only one kind may be meant.
  case mixedFolder(String)
  /// Another process works on the folder.
  case inUse(String)

  public var description: String {
    switch self {
    case .mixedFolder(let path):
      "\(path): there are pictures and shards in it. Name the shards themselves (\(path)/*.tar), or a"
        + " folder of pictures alone."
    case .inUse(let path):
      "\(path): another process works on it. Wait for its end, or end it; then give the command again."
    case .outputExists(let path):
      "\(path): there is something already. Name a folder that is new or empty."
    case .otherOptions(let path, let differences):
      "\(path): this folder was begun with other options:\n"
        + differences.map { "  \($0)\n" }.joined()
        + "Use the old options to go on with it, name another --out, or remove the folder."
    case .foreignPart(let path):
      "\(path): the output would grow here, and there is something that this command has not made. Name"
        + " another --out, or move that away."
    case .inputInPart(let input, let part):
      "\(input): it lies in \(part), where the output grows. Name another --out."
    case .noPairs: "the shards hold no pair with a picture: are they WebDataset tars?"
    case .changed(let shard, let key):
      "\(shard): pair \(key) was not here when the pictures were looked at: the shard was changed."
        + " Remove the .part folder beside the output and run the same command again."
    case .noShards(let path):
      "\(path): no shards (.tar, .tar.lz4, .tar.gz, .tar.zst) are there. Name files, folders or patterns."
    case .noSignatures(let path):
      "\(path): the run has decoded nothing yet, so nothing can be said."
    }
  }
}
