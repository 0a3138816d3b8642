public import TensorEngine

/// One rank's share of a global batch.
public struct PairBatch: Sendable {
  /// `[B, 3, S, S]`, normalised.
  public var images: Tensor
  /// Start token … end token of each caption, not padded.
  public var tokens: [[Int32]]
  public var keys: [String]
  /// Pairs whose pictures could not be decoded, and what stands in their place.
  public var replaced: [ReplacedPair]

  public init(
    images: Tensor, tokens: [[Int32]], keys: [String], replaced: [ReplacedPair] = []
  ) {
    self.images = images
    self.tokens = tokens
    self.keys = keys
    self.replaced = replaced
  }
}

/// A pair whose picture could not be decoded, for which the next readable one was taken.
public struct ReplacedPair: Sendable, Equatable {
  /// Its number in the source.
  public var index: Int
  /// The number of the pair in its place.
  public var by: Int
  public var reason: String

  public init(index: Int, by: Int, reason: String) {
    self.index = index
    self.by = by
    self.reason = reason
  }
}

/// No picture of a source can be decoded.
public struct NoReadablePair: Error, Equatable, Sendable, CustomStringConvertible {
  /// Why the pair that was asked for cannot be.
  public var reason: String
  public var description: String {
    "no picture of the data set can be decoded (\(reason)). Make the data set again with "
      + "pairloom run."
  }
}
