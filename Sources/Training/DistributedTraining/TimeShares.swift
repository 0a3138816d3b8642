/// What a rank's time went into between two lines of the log, as shares that sum to 1.
public struct TimeShares: Codable, Sendable, Equatable {
  /// Waiting for batches.
  public var data: Double
  public var forward: Double
  public var backward: Double
  /// In collectives, which includes waiting for slower ranks.
  public var communication: Double
  /// Norm and clipping of gradients, the optimizer's step, the moving average.
  public var optimizer: Double
  /// Taking checkpoints, and waiting where one is still in flight; the writing itself goes on beside.
  public var checkpoint: Double
  public var evaluation: Double
  /// All else.
  public var other: Double

  /// - Parameters:
  ///   - seconds: By phase.
  ///   - total: Of the whole time.
  init(_ seconds: PhaseSeconds, of total: Double) {
    let parts = seconds.parts.map { $0 / max(total, seconds.sum, 1e-9) }
    (data, forward, backward, communication) = (parts[0], parts[1], parts[2], parts[3])
    (optimizer, checkpoint, evaluation) = (parts[4], parts[5], parts[6])
    other = max(0, 1 - parts.reduce(0, +))
  }
}

/// The times of the slowest rank: the one for which the others wait.
public struct SlowestRank: Codable, Sendable, Equatable {
  public var rank: Int
  public var shares: TimeShares
}

/// What a step is made of.
enum StepPhase: Int, CaseIterable {
  case data, forward, backward, communication, optimizer, checkpoint, evaluation
}

/// Seconds by phase.
struct PhaseSeconds: Equatable {
  private(set) var parts: [Double]

  init(_ parts: [Double] = Array(repeating: 0, count: StepPhase.allCases.count)) {
    self.parts = parts
  }

  subscript(phase: StepPhase) -> Double {
    get { parts[phase.rawValue] }
    set { parts[phase.rawValue] = newValue }
  }

  var sum: Double { parts.reduce(0, +) }
}
