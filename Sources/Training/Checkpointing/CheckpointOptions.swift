/// When checkpoints are written, and which of them are kept.
public struct CheckpointOptions: Sendable, Equatable {
  /// Which of the evaluated steps is the best one.
  public struct Best: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable { case max, min }

    /// A name among those that an evaluation gives.
    public var metric: String
    public var mode: Mode

    public init(metric: String, mode: Mode = .max) {
      self.metric = metric
      self.mode = mode
    }

    /// Whether `value` is better than the best of `earlier`; NaN never is.
    public func isBetter(_ value: Double, than earlier: [Double]) -> Bool {
      guard !value.isNaN else { return false }
      return earlier.allSatisfy { other in
        other.isNaN || (mode == .max ? value > other : value < other)
      }
    }
  }

  /// Steps between checkpoints; 0 for none by steps.
  public var everySteps: Int
  /// Minutes between checkpoints by rank 0's clock; nil for none by time.
  public var everyMinutes: Double?
  /// How many of the newest are kept.
  public var keep: Int
  /// What makes a step the one of `best.safetensors`; nil keeps none.
  public var best: Best?

  public init(
    everySteps: Int = 0, everyMinutes: Double? = nil, keep: Int = 3, best: Best? = nil
  ) {
    precondition(keep > 0, "a run keeps at least one checkpoint, not \(keep)")
    self.everySteps = everySteps
    self.everyMinutes = everyMinutes
    self.keep = keep
    self.best = best
  }
}
