/// What a plan decides.
public struct FilterOutcome: Sendable {
  /// What one rule does.
  public struct Yield: Sendable, Equatable {
    public var name: String
    /// Pairs that pass this rule, were it the only one.
    public var alone: Int
    /// Pairs that pass this rule and all before it.
    public var remaining: Int
    /// Pairs for which it cannot be told, as a value is missing; they do not pass.
    public var unknown: Int
    /// The lowest value that a share takes.
    public var threshold: Double?
  }

  /// A rule that was left out.
  public struct Skipped: Sendable, Equatable {
    public var rule: String
    public var why: String
  }

  /// Pairs that were judged.
  public var pairs: Int
  public var kept: PairBits
  public var yields: [Yield]
  public var skipped: [Skipped]
  /// For each rule the pairs that pass it after all before it.
  private let passed: [PairBits]

  init(pairs: Int, yields: [Yield], skipped: [Skipped], passed: [PairBits]) {
    self.pairs = pairs
    self.yields = yields
    self.skipped = skipped
    self.passed = passed
    kept = passed.last ?? PairBits(repeating: true, count: pairs)
  }

  public var keptCount: Int { yields.last?.remaining ?? pairs }

  /// The first rule that a pair does not pass, by its index in ``yields``; nil for a kept pair.
  public func dropping(_ pair: Int) -> Int? { passed.firstIndex { !$0[pair] } }
}
