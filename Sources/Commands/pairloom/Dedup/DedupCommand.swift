import ArgumentParser

/// `pairloom dedup`: existing shards without their duplicates, plans, and indexes by hand.
struct DedupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dedup",
    abstract: "Drop duplicate pictures from existing shards, or say how many there are.",
    subcommands: [
      DedupShardsCommand.self, DedupSemanticCommand.self, DedupIndexCommand.self,
      DedupReportCommand.self,
    ],
    defaultSubcommand: DedupShardsCommand.self)

  /// The arguments with the subcommand that is meant where none is named, so that its help is shown too.
  static func withSubcommand(_ arguments: [String]) -> [String] {
    guard arguments.first == configuration.commandName else { return arguments }
    let isSemantic = arguments.contains { $0 == "--semantic" || $0.hasPrefix("--semantic=") }
    if isSemantic, arguments.dropFirst().first != DedupSemanticCommand.configuration.commandName {
      return [arguments[0], "semantic"] + arguments.dropFirst()
    }
    let words = ["--help", "-h", "-help"]
    guard arguments.count == 2, words.contains(arguments[1]) else { return arguments }
    return [arguments[0], "shards", arguments[1]]
  }
}
