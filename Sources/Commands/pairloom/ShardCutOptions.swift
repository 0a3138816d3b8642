import ArgumentParser
import PairDataset
import ShardMaintenance

/// How new shards are cut, as options of every command that writes some.
struct ShardCutOptions: ParsableArguments {
  @Option(help: "The most pairs of a shard. (default: 10000 where --bytes is not given)")
  var pairs: Int?

  @Option(help: "The most bytes of a shard's tar, such as 500MB or 1GiB.")
  var bytes: ByteCount?

  @Option(help: "lz4 or none. (default: lz4)", transform: DedupRuleOptions.word)
  var compression: ShardCompression = .lz4

  func validate() throws {
    guard pairs ?? 1 > 0 else { throw ValidationError("--pairs must be 1 or more.") }
  }

  /// With a seed all pairs are put in an order that it draws.
  func options(shuffleSeed: UInt64? = nil) -> ReshardOptions {
    ReshardOptions(
      maxPairs: pairs ?? (bytes == nil ? 10_000 : nil), maxBytes: bytes?.bytes,
      compression: compression, shuffleSeed: shuffleSeed)
  }
}
