import Checkpointing

/// The manifest's `checkpoints` {`every_steps`, `every_minutes`, `keep` 3, `best` {`metric`, `mode` max}}.
///
/// `checkpoint_every` is another word for `checkpoints.every_steps`.
enum CheckpointSection {
  static func read(_ reader: ManifestReader) throws(ManifestError) -> CheckpointOptions {
    var options = CheckpointOptions()
    let every = try reader.integer("checkpoint_every", atLeast: 0)
    options.everySteps = every ?? 0
    guard let section = try reader.section("checkpoints") else { return options }
    if let steps = try section.integer("every_steps", atLeast: 0) {
      guard every == nil || every == steps else {
        throw section.error("every_steps", "is given beside checkpoint_every: give one of them")
      }
      options.everySteps = steps
    }
    options.everyMinutes = try section.number("every_minutes", in: 0.001...1e6)
    options.keep = try section.integer("keep", atLeast: 1) ?? options.keep
    if let best = try section.section("best") {
      guard let metric = try best.string("metric") else {
        throw best.error("metric", "is missing: a name that the evaluation gives")
      }
      let mode = try best.string("mode") ?? CheckpointOptions.Best.Mode.max.rawValue
      guard let mode = CheckpointOptions.Best.Mode(rawValue: mode) else {
        throw best.error("mode", "'\(mode)' is neither max nor min")
      }
      options.best = .init(metric: metric, mode: mode)
      try best.finish()
    }
    try section.finish()
    return options
  }
}
