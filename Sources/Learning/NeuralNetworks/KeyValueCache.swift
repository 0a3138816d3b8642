public import Autograd
import TensorEngine

/// The keys and values that a causal attention has seen, sequence by sequence.
///
/// They are variables: a gradient reaches them (ZeroCap moves a language model by them). New rows are appended by
/// copying: a token costs its sequence's length.
public struct KeyValueCache {
  /// `[Σlengths, D]`, packed; nil at first.
  public private(set) var keys: Variable?
  /// `[Σlengths, D]`, packed; nil at first.
  public private(set) var values: Variable?
  /// The rows of each sequence.
  public private(set) var lengths: [Int]

  /// - Parameter sequences: How many go on side by side.
  public init(sequences: Int) { lengths = [Int](repeating: 0, count: sequences) }

  /// With keys and values in place, such as leaves that a gradient is wanted of.
  ///
  /// - Parameters:
  ///   - keys: `[Σlengths, D]`, packed.
  ///   - values: `[Σlengths, D]`, packed.
  ///   - lengths: The rows of each sequence.
  public init(keys: Variable, values: Variable, lengths: [Int]) {
    precondition(
      keys.shape == values.shape && keys.shape.first == lengths.reduce(0, +),
      "KeyValueCache: keys \(keys.shape), values \(values.shape) for lengths \(lengths)")
    (self.keys, self.values, self.lengths) = (keys, values, lengths)
  }

  /// Puts rows behind those of each sequence.
  ///
  /// - Parameters:
  ///   - keys: `[Σadded, D]`, packed.
  ///   - values: `[Σadded, D]`, packed.
  ///   - added: The rows of each sequence; 0 for one that does not go on.
  public mutating func append(keys: Variable, values: Variable, added: [Int]) {
    precondition(
      added.count == lengths.count && keys.shape == values.shape
        && keys.shape.first == added.reduce(0, +),
      "KeyValueCache: keys \(keys.shape), values \(values.shape), added \(added) to \(lengths)")
    guard let oldKeys = self.keys, let oldValues = self.values else {
      (self.keys, self.values, lengths) = (keys, values, added)
      return
    }
    var order: [Int] = []
    var (old, new) = (0, lengths.reduce(0, +))
    for (length, more) in zip(lengths, added) {
      order += old..<old + length
      order += new..<new + more
      old += length
      new += more
    }
    self.keys = gatherRows(concatenated([oldKeys, keys], axis: 0), order)
    self.values = gatherRows(concatenated([oldValues, values], axis: 0), order)
    lengths = zip(lengths, added).map { $0 + $1 }
  }

  /// Keys and values of the sequences that have queries.
  ///
  /// - Parameter queries: How many each sequence has.
  /// - Returns: Nil when there is none.
  func seen(by queries: [Int]) -> (keys: Variable, values: Variable)? {
    guard let keys, let values, queries.contains(where: { $0 > 0 }) else { return nil }
    if queries.allSatisfy({ $0 > 0 }) { return (keys, values) }
    var (rows, start): ([Int], Int) = ([], 0)
    for (length, count) in zip(lengths, queries) {
      if count > 0 { rows += start..<start + length }
      start += length
    }
    return (gatherRows(keys, rows), gatherRows(values, rows))
  }
}
