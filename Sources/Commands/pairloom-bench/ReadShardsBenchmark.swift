import ArgumentParser
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import SeededRandom

/// `read-shards SHARD…`: pairs out of shards, on one thread.
struct ReadShardsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read-shards",
    abstract: "Read all pairs of shards, and decode their pictures if asked to.",
    discussion: """
      Prints decode, pairs, pairs_per_s, pairs_per_cpu_s and mb_per_s of encoded pictures (10⁶ bytes). \
      With --lz4 also lz4_share: the time of `lz4 -dc SHARD > /dev/null`, turn by turn on the same \
      shards, as a share of ours. With --random the pairs are asked for by key, each shard having been \
      read once before.
      """)

  @Argument(help: "Shards: .tar or .tar.lz4, Pairloom's own or any WebDataset's.")
  var shards: [String]

  @Flag(help: "Decode the pictures to RGB.")
  var decode = false

  @Flag(help: "Time `lz4 -dc` beside it; the shards are .tar.lz4.")
  var lz4 = false

  @Option(help: "Ask for so many pairs by keys drawn by chance, in place of all in order.")
  var random: Int?

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    if let random { try requirePositive(random, "--random") }
    if lz4, !shards.allSatisfy({ $0.hasSuffix(".lz4") }) {
      throw ValidationError("--lz4 is for shards that end in .lz4.")
    }
    if lz4, random != nil { throw ValidationError("--lz4 is for reading in order.") }
  }

  func run() throws {
    if let random { try readByKey(random) } else { try readInOrder() }
  }

  /// What one pass over pairs came to.
  private struct Tally {
    var pairs = 0
    var bytes = 0
    /// Of one round each.
    var cpuSeconds: [Double] = []
    var lz4Seconds: [Double] = []

    mutating func take(_ pair: Pair, decode: Bool) throws {
      pairs += 1
      bytes += pair.image.count
      if decode { _ = try ImageDecoder.decode(pair.image) }
    }
  }

  private func readInOrder() throws {
    var tally = Tally()
    var seconds: [Double] = []
    // The first round warms up.
    for round in 0...repetition.rounds {
      (tally.pairs, tally.bytes) = (0, 0)
      let cpu = Rounds.Clock.processor.now
      let time = try Rounds.Clock.wall.seconds {
        for path in shards {
          try ShardReader(path: path).forEach { try tally.take($0, decode: decode) }
        }
      }
      guard round > 0 else { continue }
      tally.cpuSeconds.append(Rounds.Clock.processor.now - cpu)
      seconds.append(time)
      if lz4 { tally.lz4Seconds.append(try Self.decompressionSeconds(shards)) }
    }
    report("read-shards", tally, Rounds(clock: .wall, seconds: seconds))
  }

  private func readByKey(_ count: Int) throws {
    let readers = try shards.map { try ShardReader(path: $0) }
    for reader in readers {
      for number in 0..<reader.count { _ = try reader.pair(at: number) }
    }
    let keys = readers.enumerated().flatMap { reader, shard in shard.keys.map { (reader, $0) } }
    guard !keys.isEmpty else { throw ValidationError("The shards hold no pairs.") }
    var tally = Tally()
    var seconds: [Double] = []
    for round in 0..<repetition.rounds {
      var random = RandomStream(seed: 1, path: UInt64(round))
      let asked = (0..<count).map { _ in keys[random.integer(below: keys.count)] }
      (tally.pairs, tally.bytes) = (0, 0)
      let cpu = Rounds.Clock.processor.now
      seconds.append(
        try Rounds.Clock.wall.seconds {
          for (reader, key) in asked {
            guard let pair = try readers[reader].pair(key: key) else {
              throw ValidationError("\(readers[reader].path) lost its pair \(key).")
            }
            try tally.take(pair, decode: decode)
          }
        })
      tally.cpuSeconds.append(Rounds.Clock.processor.now - cpu)
    }
    report("read-shards-random", tally, Rounds(clock: .wall, seconds: seconds))
  }

  private func report(_ name: String, _ tally: Tally, _ rounds: Rounds) {
    let cpu = Rounds(clock: .processor, seconds: tally.cpuSeconds)
    var values: [JSONValue.Member] = [
      .init("decode", .bool(decode)), .init("pairs", .int(tally.pairs)),
      .init("pairs_per_s", .rounded(Double(tally.pairs) / rounds.median)),
      .init("pairs_per_cpu_s", .rounded(Double(tally.pairs) / cpu.median)),
      .init("mb_per_s", .rounded(Double(tally.bytes) / rounds.median / 1e6)),
    ]
    if !tally.lz4Seconds.isEmpty {
      let peer = Rounds(clock: .wall, seconds: tally.lz4Seconds)
      values.append(.init("lz4_share", .rounded(peer.median / rounds.median)))
    }
    Figure(name: name, values: values, threads: 1, rounds: rounds).print()
  }

  /// The wall time of `lz4 -dc`, one process a shard, its output thrown away.
  private static func decompressionSeconds(_ shards: [String]) throws -> Double {
    try Rounds.Clock.wall.seconds {
      for path in shards {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["lz4", "-dc", path]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
          throw ValidationError("lz4 -dc \(path) failed; is lz4 installed?")
        }
      }
    }
  }
}
