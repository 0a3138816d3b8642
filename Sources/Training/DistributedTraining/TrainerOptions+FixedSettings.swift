import Checkpointing
import Optimizers

extension TrainerOptions {
  /// What decides the numbers of a run, by the manifest's keys, and so must not change between its parts.
  ///
  /// Threads, ranks and what is only written or looked at may change. So may the number of steps, where the
  /// schedule does not depend on it.
  var fixedSettings: [String: String] {
    var all = settings
    all["seed"] = "\(seed)"
    all["global_batch"] = "\(globalBatch)"
    all["optimizer.learning_rate"] = "\(optimizer.learningRate)"
    all["optimizer.beta1"] = "\(optimizer.beta1)"
    all["optimizer.beta2"] = "\(optimizer.beta2)"
    all["optimizer.epsilon"] = "\(optimizer.epsilon)"
    all["optimizer.weight_decay"] = "\(optimizer.weightDecay)"
    all["optimizer.warmup_steps"] = "\(warmupSteps)"
    all["optimizer.clip_norm"] = clipNorm.map { "\($0)" } ?? "none"
    all["optimizer.schedule"] = "\(schedule)"
    all["ema_decay"] = averageDecay.map { "\($0)" } ?? "none"
    if schedule != .constant { all["steps"] = "\(steps)" }
    return all
  }

  /// Refuses to go on from what another run has written, with each key that differs.
  ///
  /// - Throws: `otherConfiguration`.
  func check(_ record: CheckpointRecord, folder: String) throws(CheckpointError) {
    var difference: String?
    if record.configuration != configuration {
      difference = "was written with another model, data set, batch or optimizer"
    }
    if record.seed != seed { difference = "was written with seed \(record.seed)" }
    if record.step > steps {
      difference = "stands at step \(record.step), beyond the last step \(steps)"
    }
    if let before = record.settings, let changes = Self.changes(from: before, to: fixedSettings) {
      difference = changes
    }
    if let difference {
      throw CheckpointError(path: folder, reason: .otherConfiguration(difference))
    }
  }

  /// What differs, in words; nil for nothing.
  static func changes(from before: [String: String], to now: [String: String]) -> String? {
    let keys = Set(before.keys).union(now.keys).sorted().filter { before[$0] != now[$0] }
    guard !keys.isEmpty else { return nil }
    let lines = keys.map { key in
      "\n  \(key): \(before[key] ?? "not set") → \(now[key] ?? "not set")"
    }
    let steps =
      keys.contains("steps")
      ? "\nThe number of steps may grow only where optimizer.schedule is constant: all others end with it."
      : ""
    return "was written with other settings:\(lines.joined())\(steps)\n"
      + "What may change between the parts of a run: ranks, threads, log_every, checkpoints, evaluation, "
      + "image_cache_mb"
  }
}
