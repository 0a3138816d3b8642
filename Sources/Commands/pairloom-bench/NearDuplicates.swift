import ArgumentParser
import Foundation
import HammingSearch
import PipelineCore
import Synchronization
import WorkerThreads

/// `near-duplicates HASHES.bin`: all pairs of hashes within a radius.
struct NearDuplicatesBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "near-duplicates",
    abstract: "Find all pairs of 64-bit hashes within a Hamming radius.",
    discussion: """
      Prints n, the hashes; pairs; seconds and cpu_s, the medians of the rounds, from opening the \
      file to the last pair; and peak_rss_mb (2²⁰ bytes). Pairs are counted, those of equal hashes by \
      the sizes of their groups.
      """)

  @Argument(help: "Little-endian UInt64s and nothing else.")
  var hashes: String

  @Option(help: "Bits that may differ, 0 to 64.")
  var radius = 6

  @Option(help: "Threads.")
  var threads = Parallel.coreCount

  @Option(help: "Timed repetitions; nothing is warmed up before the first.")
  var rounds = 3

  @Option(
    help: """
      A file for the pairs as they are found, in no order: little-endian UInt64s, the lower place in \
      the high half. Pairs of equal hashes are then enumerated too.
      """)
  var pairsTo: String?

  func validate() throws {
    try requirePositive(threads, "--threads")
    try requirePositive(rounds, "--rounds")
    guard (0...64).contains(radius) else {
      throw ValidationError("--radius is \(radius); give 0 to 64.")
    }
  }

  func run() throws {
    var wall: [Double] = []
    var processor: [Double] = []
    var counts: [Int] = []
    var count = 0
    for _ in 0..<rounds {
      processor.append(
        try Rounds.Clock.processor.seconds {
          wall.append(
            try Rounds.Clock.wall.seconds {
              let file = try WordFile(path: hashes)
              count = file.count
              counts = try search(file)
            })
        })
    }
    let seconds = Rounds(clock: .wall, seconds: wall)
    Figure(
      name: "near-duplicates",
      values: [
        .init("hashes", .int(count)), .init("radius", .int(radius)),
        .init("pairs", .int(counts.reduce(0, +))),
        .init("by_distance", .array(counts.map { .int($0) })),
        .init("seconds", .rounded(seconds.median)),
        .init("cpu_s", .rounded(Rounds(clock: .processor, seconds: processor).median)),
        .init("peak_rss_mb", .rounded(PeakMemory.mebibytes)),
      ], threads: threads, rounds: seconds
    ).print()
  }

  private func search(_ file: WordFile) throws -> [Int] {
    guard let pairsTo else {
      return try HammingJoin.counts(in: file, radius: radius, threads: threads)
    }
    try Data().write(to: URL(fileURLWithPath: pairsTo))
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: pairsTo))
    let counts = Mutex([Int](repeating: 0, count: radius + 1))
    try HammingJoin.pairs(in: file, radius: radius, threads: threads) { pairs in
      let bytes = HashFile.bytes(pairs.map { UInt64($0.first) << 32 | UInt64($0.second) })
      try counts.withLock {
        for pair in pairs { $0[Int(pair.distance)] += 1 }
        try output.write(contentsOf: bytes)
      }
    }
    try output.close()
    return counts.withLock { $0 }
  }
}
