public import PipelineCore

/// What counts as a duplicate.
public struct DeduplicateOptions: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Pictures whose downloaded bytes are equal.
    case exact
    /// Nothing.
    case off
  }
  public var kind: Kind

  public init(kind: Kind = .exact) { self.kind = kind }

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    kind = try reader.choice("dedup", default: .exact)
  }
}
