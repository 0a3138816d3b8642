/// What an audit found, for the footers of tables and for reports.
public struct ScoreAuditReport: Sendable, Equatable, Codable {
  /// All pairs, those without a score included.
  public var pairs: Int
  /// Pairs of the sample.
  public var sampled = 0
  /// The largest and the mean |int8 − float32| of the sample.
  public var largestError: Float = 0
  public var meanError: Float = 0
  /// What the decisions took for the largest error.
  public var bound: Float = 0
  /// Pairs near the cut that were scored again, beside the sample.
  public var rescored = 0
  /// The largest error among those, and how many lay beyond the sample's bound, which then grew.
  public var largestRescoredError: Float = 0
  public var beyondBound = 0
  /// Pairs whose decision the scores of bytes alone would have got wrong.
  public var corrected = 0

  public init(pairs: Int) { self.pairs = pairs }

  /// What every fact of ``metadata`` begins with.
  public static let prefix = "audit."

  /// The report as names and values.
  public var metadata: [(key: String, value: String)] {
    [
      ("pairs", "\(pairs)"), ("sampled", "\(sampled)"), ("largest_error", "\(largestError)"),
      ("mean_error", "\(meanError)"), ("bound", "\(bound)"), ("rescored", "\(rescored)"),
      ("largest_rescored_error", "\(largestRescoredError)"), ("beyond_bound", "\(beyondBound)"),
      ("corrected", "\(corrected)"),
    ].map { (key: Self.prefix + $0.0, value: $0.1) }
  }

  /// Reads a footer; nil where it tells of no audit.
  public init?(_ footer: [String: String]) {
    func count(_ name: String) -> Int? { footer[Self.prefix + name].flatMap { Int($0) } }
    func number(_ name: String) -> Float? { footer[Self.prefix + name].flatMap { Float($0) } }
    guard let pairs = count("pairs"), let sampled = count("sampled"),
      let largestError = number("largest_error"), let meanError = number("mean_error"),
      let bound = number("bound"), let rescored = count("rescored"),
      let largestRescoredError = number("largest_rescored_error"),
      let beyondBound = count("beyond_bound"), let corrected = count("corrected")
    else { return nil }
    self.pairs = pairs
    self.sampled = sampled
    self.largestError = largestError
    self.meanError = meanError
    self.bound = bound
    self.rescored = rescored
    self.largestRescoredError = largestRescoredError
    self.beyondBound = beyondBound
    self.corrected = corrected
  }

  /// For a person; the bound is measured and not proved, which is said.
  public var lines: [String] {
    [
      "audited, not derived: \(sampled) of \(pairs) pairs were scored in float32 as well; the largest"
        + " error of int8 is \(largestError), the mean \(meanError), and the bound taken \(bound)",
      "\(rescored) more within the bound of the cut were scored again in float32"
        + (beyondBound > 0 ? " (\(beyondBound) were beyond the bound, which grew)" : "")
        + "; \(corrected) decisions were corrected",
    ]
  }
}
