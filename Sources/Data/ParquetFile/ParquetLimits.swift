/// Bounds on what a file may ask for; the defaults suit whole machines, tests take less.
package struct ParquetLimits: Sendable {
  /// The most bytes of a page, a dictionary included.
  package var page = 1 << 30
  /// The most bytes that a column's prefix-sharing strings (DELTA_BYTE_ARRAY) may unfold to in a
  /// batch: a few bytes each may stand for very long ones.
  package var unfoldedBytes = 1 << 28
  /// The most elements of a column's lists in a batch.
  package var batchElements = 1 << 25

  package init() {}
}
