public import TensorEngine

/// One rank's share of a global batch.
public struct PairBatch: Sendable {
  /// `[B, 3, S, S]`, normalised.
  public var images: Tensor
  /// Start token … end token of each caption, not padded.
  public var tokens: [[Int32]]
  public var keys: [String]
  /// Which visits of which pairs these are, in order: what is random of a pair is addressed by it.
  ///
  /// Empty where nothing is random.
  public var visits: [PairVisit]
  /// Pairs that could not be read or decoded, and what stands in their place.
  public var replaced: [ReplacedPair]

  public init(
    images: Tensor, tokens: [[Int32]], keys: [String], visits: [PairVisit] = [],
    replaced: [ReplacedPair] = []
  ) {
    self.images = images
    self.tokens = tokens
    self.keys = keys
    self.visits = visits
    self.replaced = replaced
  }

  /// The contiguous part number `part` of `parts`; sizes differ by at most one.
  public func part(_ part: Int, of parts: Int) -> PairBatch {
    let rows = PairOrder.slice(of: tokens.count, rank: part, worldSize: parts)
    return PairBatch(
      images: images.slice(axis: 0, rows), tokens: Array(tokens[rows]), keys: Array(keys[rows]),
      visits: visits.isEmpty ? [] : Array(visits[rows]))
  }
}

/// One visit of a pair.
public struct PairVisit: Sendable, Equatable {
  /// The pair's number in the source.
  public var index: Int
  /// How often all pairs of its source were gone over before; with a weight of 1 the epoch.
  public var epoch: Int

  public init(index: Int, epoch: Int) {
    self.index = index
    self.epoch = epoch
  }
}

/// A pair that could not be read or decoded, for which the next readable one of its source was taken.
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

/// No pair of a source can be read and decoded.
public struct NoReadablePair: Error, Equatable, Sendable, CustomStringConvertible {
  public var source: String
  /// Why the pair that was asked for cannot be.
  public var reason: String
  public var description: String {
    "\(source): no pair of it can be read (\(reason)). Is its disk still there? Else make the data set "
      + "again with pairloom run."
  }
}
