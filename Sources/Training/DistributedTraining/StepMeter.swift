import Collectives
import Glibc

/// Times the steps of one rank between two lines of the log.
struct StepMeter {
  private let group: ProcessGroup
  private var started: Double
  private var communicated: Double
  private var waited = 0.0
  private var steps = 0
  var replacedPairs = 0

  init(_ group: ProcessGroup) {
    self.group = group
    started = Self.now()
    communicated = group.secondsInOperations
  }

  /// Runs `body`, counting its time as waiting for batches.
  mutating func waiting<T>(_ body: () throws -> T) rethrows -> T {
    let before = Self.now()
    defer {
      waited += Self.now() - before
      steps += 1
    }
    return try body()
  }

  /// The line for the steps since the one before.
  mutating func line(
    step: Int, globalBatch: Int, loss: Float, learningRate: Float, gradientNorm: Float,
    scalars: [String: Float]
  ) -> StepMetrics {
    let now = Self.now()
    let seconds = max(now - started, 1e-9)
    let communication = group.secondsInOperations
    let metrics = StepMetrics(
      step: step, samples: step * globalBatch, loss: loss, learningRate: learningRate,
      gradientNorm: gradientNorm, pairsPerSecond: Double(steps * globalBatch) / seconds,
      waitShare: waited / seconds,
      exposedCommunicationSeconds: (communication - communicated) / Double(max(1, steps)),
      replacedPairs: replacedPairs, scalars: scalars)
    (started, communicated, waited, steps) = (now, communication, 0, 0)
    return metrics
  }

  private static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
