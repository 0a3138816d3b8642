/// Bounds on what a file may ask for; the defaults suit whole machines, tests take less.
package struct ParquetLimits: Sendable {
  /// The most bytes of a page, a dictionary included.
  package var page = 1 << 30
  /// The most bytes that prefix-sharing strings of a column may unfold to at a time.
  package var unfoldedBytes = 1 << 30
  /// The most elements of a column's lists in a batch.
  package var batchElements = 1 << 25

  package init() {}
}
