/// Why an index of captions could not be used.
public struct CaptionIndexError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// A segment does not hold what an index of captions does, or was written by a later version.
    case unreadable(segment: Int)
    /// It was made for another similarity, or for none.
    case otherSimilarity(found: Double?, wanted: Double?)
  }

  public var reason: Reason
  public var path: String

  public init(_ reason: Reason, path: String) {
    self.reason = reason
    self.path = path
  }

  public var description: String {
    switch reason {
    case .unreadable(let segment):
      "\(path): segment \(segment) is none of an index of captions, or of a newer Pairloom. "
        + "Remove the file: it is made again from the verdicts."
    case .otherSimilarity(let found, let wanted):
      "\(path): made for \(Self.text(found)), not for \(Self.text(wanted)). "
        + "Remove the file: it is made again from the verdicts."
    }
  }

  private static func text(_ similarity: Double?) -> String {
    similarity.map { "captions of similarity \($0)" } ?? "equal captions only"
  }
}
