public import PairDataset

/// The score of a pair, or why it has none.
public struct PairScore: Sendable, Equatable {
  /// Why a pair has no score.
  public struct Fault: Sendable, Equatable {
    /// A word to count by.
    public var reason: String
    /// For a person.
    public var detail: String

    public init(reason: String, detail: String) {
      self.reason = reason
      self.detail = detail
    }

    /// The picture does not decode.
    public static func undecodable(_ detail: String) -> Fault {
      Fault(reason: "undecodable", detail: detail)
    }
    /// The sample has a picture alone.
    public static let noCaption = Fault(reason: "no_caption", detail: "the sample has no .txt")
  }

  /// Nil where there is a fault.
  public var score: Float?
  /// What kind of number it is, where a scorer gives several, such as `int8` and `float32`.
  public var kind: String?
  public var fault: Fault?

  public init(_ score: Float, kind: String? = nil) {
    self.score = score
    self.kind = kind
  }

  public init(_ fault: Fault) { self.fault = fault }
}

extension PairScorer {
  public var facts: [String: String] { [:] }

  public func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await scores(of: pairs).map { PairScore($0) }
  }
}
