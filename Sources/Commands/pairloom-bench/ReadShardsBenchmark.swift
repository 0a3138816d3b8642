import ArgumentParser
import ImageCodec
import PairDataset
import PipelineCore

/// `read-shards SHARD…`: pairs out of shards, on one thread.
struct ReadShardsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read-shards",
    abstract: "Read all pairs of shards, and decode their pictures if asked to.",
    discussion: "Prints decode, pairs, pairs_per_s and mb_per_s of encoded pictures (10⁶ bytes).")

  @Argument(help: "Shards: .tar or .tar.lz4, Pairloom's own or any WebDataset's.")
  var shards: [String]

  @Flag(help: "Decode the pictures to RGB.")
  var decode = false

  @OptionGroup var repetition: RoundOptions

  func run() throws {
    var pairs = 0
    var bytes = 0
    let rounds = try Rounds(repetition.rounds, clock: .wall) {
      pairs = 0
      bytes = 0
      for path in shards {
        try ShardReader(path: path).forEach { pair in
          pairs += 1
          bytes += pair.image.count
          if decode { _ = try ImageDecoder.decode(pair.image) }
        }
      }
    }
    Figure(
      name: "read-shards",
      values: [
        .init("decode", .bool(decode)), .init("pairs", .int(pairs)),
        .init("pairs_per_s", .rounded(Double(pairs) / rounds.median)),
        .init("mb_per_s", .rounded(Double(bytes) / rounds.median / 1e6)),
      ], threads: 1, rounds: rounds
    ).print()
  }
}
