import ArgumentParser
import Autograd
import BatchLoading
import CLIPModel
import CLIPTraining
import Collectives
import Foundation
import Optimizers
import PipelineCore
import TensorEngine

/// `train-ranks`: steps of ranks that exchange gradients beside steps of as many runs that do not.
struct TrainRanksBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-ranks",
    abstract: "One step of contrastive training over ranks, each a process with its own threads.",
    discussion: """
      The same processes train alone and together by turns, all at the same time, so that both see the same \
      machine. Prints alone_s and together_s (medians at rank 0), efficiency (their quotient) and exchange_s (the \
      part of together_s that sums gradients).
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "Pairs of one step of a rank.")
  var batch = 64

  @Option(help: "The number of processes.")
  var ranks = 2

  @Option(help: "Timed steps of each kind, after one that warms up.")
  var steps = 3

  @Option(help: .private)
  var rank = 0

  @Option(help: .private)
  var rendezvous: String?

  /// Floats of one exchange: what the trainer's buckets hold.
  private static let bucketFloats = 1 << 20

  func validate() throws {
    try requirePositive(batch, "--batch")
    try requirePositive(steps, "--steps")
    try requirePositive(ranks, "--ranks")
    guard (0..<ranks).contains(rank) else {
      throw ValidationError("--rank is \(rank) of \(ranks).")
    }
  }

  func run() throws {
    try BenchRanks.run(
      ranks, rendezvous: rendezvous,
      arguments: [
        "train-ranks", "--model", model.model, "--threads", "\(model.threads)", "--batch",
        "\(batch)", "--ranks", "\(ranks)", "--steps", "\(steps)",
      ]
    ) { try measure(at: $0, token: $1) }
  }

  private func measure(at rendezvous: String, token: String) throws {
    TensorThreads.set(model.threads)
    let inputs = try ModelInputs(model: model.model, count: batch)
    let pairs = PairBatch(
      images: inputs.images(0..<batch), tokens: inputs.tokens, keys: (0..<batch).map(String.init))
    let task = ContrastiveTask(model: CLIP(inputs.configuration, seed: 0))
    let optimizer = AdamW(parameters: task.parameters, options: AdamWOptions(learningRate: 1e-4))
    let group = try ProcessGroup.connect(
      rank: rank, worldSize: ranks, rendezvous: rendezvous, token: token, deadline: 120,
      operationDeadline: 600)
    var exchange: [Double] = []
    func step(in group: ProcessGroup) throws {
      optimizer.dropGradients()
      _ = try task.backward(pairs, in: group)
      if group.worldSize > 1 {
        exchange.append(
          try Rounds.Clock.wall.seconds { try sum(optimizer.arena, in: group) })
      }
      let norm = optimizer.arena.gradientNorm()
      optimizer.step(
        learningRate: 1e-4, gradientScale: clippingFactor(norm: norm, maxNorm: 1))
      task.afterStep()
    }
    var (alone, together): ([Double], [Double]) = ([], [])
    for number in 0...steps {
      // All begin at the same time, and a step ends when the last one has ended.
      for (own, isShared) in [(ProcessGroup.alone, false), (group, true)] {
        try group.barrier()
        let seconds = try Rounds.Clock.wall.seconds {
          try step(in: own)
          try group.barrier()
        }
        guard number > 0 else { continue }
        if isShared { together.append(seconds) } else { alone.append(seconds) }
      }
    }
    if rank == 0 {
      report(alone, Rounds(clock: .wall, seconds: together), exchange)
    }
    // Nobody leaves while another still sums.
    try group.barrier()
    group.close()
  }

  /// Sums all gradients over the ranks, in their place.
  private func sum(_ arena: ParameterArena, in group: ProcessGroup) throws {
    for index in arena.parameters.indices {
      precondition(arena.settleGradient(index), "a gradient is not in its place")
    }
    for start in stride(from: 0, to: arena.gradients.count, by: Self.bucketFloats) {
      let end = min(start + Self.bucketFloats, arena.gradients.count)
      try arena.gradients.withMutableSpan(start..<end) { (span) throws(CollectiveError) in
        try group.allReduceSum(&span)
      }
    }
  }

  private func report(_ alone: [Double], _ together: Rounds, _ exchange: [Double]) {
    let single = Rounds(clock: .wall, seconds: alone).median
    let sums = Rounds(clock: .wall, seconds: exchange).median
    Figure(
      name: "train-ranks",
      values: [
        .init("model", .string(model.model)), .init("batch", .int(batch)),
        .init("ranks", .int(ranks)), .init("alone_s", .rounded(single)),
        .init("together_s", .rounded(together.median)), .init("exchange_s", .rounded(sums)),
        .init("efficiency", .rounded(single / together.median)),
      ], threads: model.threads, rounds: together
    ).print()
  }
}
