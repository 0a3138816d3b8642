import ArgumentParser
import TensorEngine

/// Times Pairloom's parts on fixed inputs: one file per benchmark, one JSON line per figure.
@main
struct PairloomBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairloom-bench",
    abstract: "Time Pairloom's parts; one JSON line per figure.",
    discussion: """
      A line holds the figure's name and values, the CPU, the threads, and the median and the least \
      of n timed rounds. What warms up caches and pools is not timed.
      """,
    subcommands: [
      DecodeBenchmark.self, ReadShardsBenchmark.self, ScoreBenchmark.self, ScorePairsBenchmark.self,
      TrainStepBenchmark.self, TrainRanksBenchmark.self, ListBatches.self, AllReduceBenchmark.self,
      LedgerBenchmark.self,
      TransfersBenchmark.self, MannersBenchmark.self, NearDuplicatesBenchmark.self, CropHashes.self,
      PictureIndexBenchmark.self, LookAlikesBenchmark.self, DuplicatesBenchmark.self,
      CaptionsBenchmark.self, TokenizeBenchmark.self, JoinScoresBenchmark.self,
      LoadBenchmark.self, AllBenchmarks.self,
    ])

  static func main() async {
    CPUFeatures.requireOrExit()
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: error)
    }
  }
}
