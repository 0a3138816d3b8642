import ArgumentParser
import DurableFiles
import EmbeddingFiles
import ShardEmbedding

/// `pairloom embed`: vectors of existing shards, and clusters of them.
struct EmbedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Write the CLIP embeddings of shards, or cluster embeddings.",
    subcommands: [EmbedShardsCommand.self, EmbedClusterCommand.self],
    defaultSubcommand: EmbedShardsCommand.self)

  /// The arguments with the subcommand that is meant where none is named, so that its help is shown too.
  static func withSubcommand(_ arguments: [String]) -> [String] {
    let words = ["--help", "-h", "-help"]
    guard arguments.count == 2, arguments[0] == configuration.commandName,
      words.contains(arguments[1])
    else { return arguments }
    return [arguments[0], "shards", arguments[1]]
  }
}

extension ShardEmbeddingError: UsageError {}
extension EmbeddingFileError: UsageError {}
