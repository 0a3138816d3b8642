import Collectives
import Glibc

/// Times the steps of one rank between two lines of the log, by reading a clock a few times per step.
struct StepMeter {
  private let group: ProcessGroup
  private var started = Self.now()
  private var seconds = PhaseSeconds()
  private var steps = 0
  private var tokens = 0
  /// Since the start of the whole run.
  private(set) var replacedPairs: Int
  /// When the last line was made; what an extra line repeats.
  private var last: StepMetrics?

  init(_ group: ProcessGroup, replacedPairs: Int) {
    self.group = group
    self.replacedPairs = replacedPairs
  }

  /// Runs `body`, counting its time as that of a phase.
  mutating func measure<T>(_ phase: StepPhase, _ body: () throws -> T) rethrows -> T {
    let before = Self.now()
    defer { seconds[phase] += Self.now() - before }
    return try body()
  }

  /// Runs a task's own part of a step, which tells its times itself and may use collectives.
  mutating func measure<T>(_ task: some TrainingTask, _ body: () throws -> T) rethrows -> T {
    let (before, communicated) = (task.seconds, group.secondsInOperations)
    defer {
      seconds[.forward] += task.seconds.forward - before.forward
      seconds[.backward] += task.seconds.backward - before.backward
      seconds[.communication] += group.secondsInOperations - communicated
    }
    return try body()
  }

  /// Counts a step: stand-ins of all ranks, tokens of this one.
  mutating func count(replaced: Int, tokens: Int) {
    steps += 1
    replacedPairs += replaced
    self.tokens += tokens
  }

  /// What a line says of the step itself.
  struct Step {
    var step: Int
    var globalBatch: Int
    var loss: Float
    var learningRate: Float
    var gradientNorm: Float
    var scalars: [String: Float]
  }

  /// The line for the steps since the one before; all ranks make it together.
  mutating func line(_ step: Step) throws(CollectiveError) -> StepMetrics {
    let now = Self.now()
    let total = max(now - started, 1e-9)
    // Seconds as Floats: seven digits are more than a clock is worth.
    let own = (seconds.parts + [total, Double(tokens)]).map { Float($0) }
    let all = try group.allGather(own)
    var metrics = plain(step)
    metrics.pairsPerSecond = Double(steps * step.globalBatch) / total
    metrics.tokensPerSecond = all.reduce(0) { $0 + Double($1[own.count - 1]) } / total
    metrics.shares = TimeShares(seconds, of: total)
    metrics.waitShare = metrics.shares?.data ?? 0
    metrics.exposedCommunicationSeconds = seconds[.communication] / Double(max(1, steps))
    metrics.slowest = Self.slowest(all)
    (started, seconds, steps, tokens, last) = (now, PhaseSeconds(), 0, 0, metrics)
    return metrics
  }

  /// A line between two others, with the speeds of the one before.
  func plain(_ step: Step) -> StepMetrics {
    StepMetrics(
      step: step.step, samples: step.step * step.globalBatch, loss: step.loss,
      learningRate: step.learningRate, gradientNorm: step.gradientNorm,
      pairsPerSecond: last?.pairsPerSecond ?? 0, waitShare: last?.waitShare ?? 0,
      exposedCommunicationSeconds: last?.exposedCommunicationSeconds ?? 0,
      replacedPairs: replacedPairs, scalars: step.scalars)
  }

  /// The rank that waits least in collectives is the one that the others wait for.
  private static func slowest(_ ranks: [[Float]]) -> SlowestRank? {
    guard ranks.count > 1 else { return nil }
    let phases = StepPhase.allCases.count
    let all = ranks.map { rank in
      (seconds: PhaseSeconds(rank.prefix(phases).map(Double.init)), total: Double(rank[phases]))
    }
    let waits = all.map { $0.seconds[.communication] }
    guard let least = waits.min(), let rank = waits.firstIndex(of: least) else { return nil }
    return SlowestRank(rank: rank, shares: TimeShares(all[rank].seconds, of: all[rank].total))
  }

  static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
