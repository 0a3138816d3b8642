import ArgumentParser
import Collectives
import Foundation
import PipelineCore

/// `allreduce`: sums over ranks that are processes of this host, by TCP over loopback.
struct AllReduceBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Sum buffers over ranks, each a process of its own.",
    discussion: """
      Prints a line per size: mib, s (the median at rank 0), alg_gb_s (bytes/s) and bus_gb_s \
      (2·(ranks−1)/ranks of it), in 10⁹ bytes.
      """)

  @Option(help: "The number of processes.")
  var ranks = 2

  @Option(help: "Sizes in MiB, with commas between them.")
  var mib = NumberList([0.0625, 1, 16, 128])

  @Option(help: "Timed sums of each size, after one that warms up.")
  var iters = 10

  @Option(help: .private)
  var rank = 0

  @Option(help: .private)
  var rendezvous: String?

  func validate() throws {
    try requirePositive(ranks, "--ranks")
    try requirePositive(iters, "--iters")
    guard mib.numbers.allSatisfy({ $0 <= 4096 }) else {
      throw ValidationError("--mib takes sizes up to 4,096.")
    }
    guard (0..<ranks).contains(rank) else {
      throw ValidationError("--rank is \(rank) of \(ranks).")
    }
  }

  func run() throws {
    try BenchRanks.run(
      ranks, rendezvous: rendezvous,
      arguments: [
        "allreduce", "--ranks", "\(ranks)", "--iters", "\(iters)", "--mib",
        mib.defaultValueDescription,
      ]
    ) { try measure(at: $0, token: $1) }
  }

  private func measure(at rendezvous: String, token: String) throws {
    let group = try ProcessGroup.connect(
      rank: rank, worldSize: ranks, rendezvous: rendezvous, token: token, deadline: 30)
    for size in mib.numbers {
      let count = Int(size * 0x1p18)
      var buffer: [Float] = []
      var seconds: [Double] = []
      for iteration in 0...iters {
        // Ones again, so that the sum is known; not timed.
        buffer = [Float](repeating: 1, count: count)
        try group.barrier()
        let duration = try Rounds.Clock.wall.seconds { try group.allReduceSum(&buffer) }
        precondition(
          buffer.first == Float(ranks) && buffer.last == Float(ranks), "the sum is wrong")
        if iteration > 0 { seconds.append(duration) }
      }
      if rank == 0 {
        report(size, bytes: Double(count * 4), Rounds(clock: .wall, seconds: seconds))
      }
    }
    // Nobody leaves while another still sums.
    try group.barrier()
    group.close()
  }

  private func report(_ size: Double, bytes: Double, _ rounds: Rounds) {
    let algorithm = bytes / rounds.median / 1e9
    Figure(
      name: "allreduce",
      values: [
        .init("ranks", .int(ranks)), .init("mib", .rounded(size)),
        .init("s", .rounded(rounds.median)), .init("alg_gb_s", .rounded(algorithm)),
        .init("bus_gb_s", .rounded(2 * Double(ranks - 1) / Double(ranks) * algorithm)),
      ], threads: 1, rounds: rounds
    ).print()
  }
}
