public import Optimizers

/// The section `optimizer` of a manifest: what moves the parameters, and how fast at which step.
///
/// Keys, with their defaults: `learning_rate` 5e-4, `beta1` 0.9, `beta2` 0.98, `epsilon` 1e-6, `weight_decay` 0.2,
/// `decay_rule` open_clip_3, `warmup_steps` 0, `clip_norm` none, `schedule` cosine | constant | constant_cooldown,
/// and of the last `cooldown_steps`, `cooldown_power` 1, `cooldown_end` 0.
public struct OptimizerPlan: Sendable, Equatable {
  public var options = AdamWOptions(
    learningRate: 5e-4, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.2)
  public var decayRule = WeightDecayRule.openClip3
  public var warmupSteps = 0
  public var clipNorm: Float?
  public var schedule = LearningRateSchedule.Shape.cosine

  public init() {}

  /// - Parameters:
  ///   - reader: Of the whole manifest.
  ///   - steps: Of the run: warm-up and cooldown lie within.
  /// - Returns: The plan, with defaults where the section says nothing.
  /// - Throws: ``ManifestError`` that names the key.
  static func read(_ reader: ManifestReader, steps: Int) throws(ManifestError) -> OptimizerPlan {
    var plan = OptimizerPlan()
    guard let section = try reader.section("optimizer") else { return plan }
    plan.options.learningRate =
      try section.number("learning_rate", in: 0...10) ?? plan.options.learningRate
    plan.options.beta1 = try section.number("beta1", in: 0...0.9999999) ?? plan.options.beta1
    plan.options.beta2 = try section.number("beta2", in: 0...0.9999999) ?? plan.options.beta2
    plan.options.epsilon = try section.number("epsilon", in: 0...1) ?? plan.options.epsilon
    plan.options.weightDecay =
      try section.number("weight_decay", in: 0...10) ?? plan.options.weightDecay
    plan.decayRule = try section.choice("decay_rule") ?? plan.decayRule
    plan.warmupSteps = try section.integer("warmup_steps", atLeast: 0) ?? 0
    guard plan.warmupSteps <= steps else {
      throw section.error(
        "warmup_steps", "\(plan.warmupSteps) is more than the \(steps) steps of the run")
    }
    plan.clipNorm = try section.number("clip_norm", in: 1e-9...1e9).map(Float.init)
    plan.schedule = try readSchedule(
      section, rate: plan.options.learningRate, warmup: plan.warmupSteps, steps: steps)
    try section.finish()
    return plan
  }

  /// The names of the schedules, in a manifest.
  private enum Name: String, CaseIterable {
    case cosine, constant
    case constantCooldown = "constant_cooldown"
  }

  private static func readSchedule(
    _ section: ManifestReader, rate: Double, warmup: Int, steps: Int
  ) throws(ManifestError) -> LearningRateSchedule.Shape {
    let name: Name = try section.choice("schedule") ?? .cosine
    let cooldown = try section.integer("cooldown_steps", atLeast: 1)
    let power = try section.number("cooldown_power", in: 0...100)
    let end = try section.number("cooldown_end", in: 0...10)
    switch name {
    case .cosine, .constant:
      if cooldown != nil || power != nil || end != nil {
        throw section.error("schedule", "\(name.rawValue) has no cooldown: take constant_cooldown")
      }
      return name == .cosine ? .cosine : .constant
    case .constantCooldown:
      guard let cooldown else {
        throw section.error(
          "cooldown_steps", "is missing: over how many of the last steps the rate goes down")
      }
      guard cooldown <= steps - warmup else {
        throw section.error(
          "cooldown_steps",
          "\(cooldown) is more than the \(steps - warmup) steps behind the warm-up")
      }
      if let end, end > rate {
        throw section.error("cooldown_end", "\(end) is above the learning rate \(rate)")
      }
      return .constantWithCooldown(steps: cooldown, power: power ?? 1, end: end ?? 0)
    }
  }
}
