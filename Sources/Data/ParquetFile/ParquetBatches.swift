/// Some rows of some columns.
public struct ParquetBatch: Sendable {
  public var columns: [ParquetColumn]
  public var rowCount: Int
  /// By column, a value for each row.
  public var values: [[ParquetValue]]
}

/// Streams the rows of a file in batches.
public final class ParquetBatches {
  private let source: ParquetSource
  private let rowGroups: [RowGroup]
  private let leaves: [LeafColumn]
  private let columns: [ParquetColumn]
  private let rowsPerBatch: Int
  private let limits: ParquetLimits
  private var nextGroup = 0
  private var rowsLeft = 0
  private var cursors: [ColumnCursor] = []
  private var failure: ParquetError?

  init(
    _ source: ParquetSource, _ rowGroups: [RowGroup], _ leaves: [LeafColumn], rowsPerBatch: Int,
    limits: ParquetLimits
  ) {
    self.source = source
    self.rowGroups = rowGroups
    self.leaves = leaves
    self.rowsPerBatch = rowsPerBatch
    self.limits = limits
    columns = leaves.map(\.column)
  }

  /// The next batch; nil after the last row.
  ///
  /// - Throws: ``ParquetError`` with the column and the row group; again at each further call.
  public func next() throws(ParquetError) -> ParquetBatch? {
    if let failure { throw failure }
    do {
      return try read()
    } catch {
      failure = error
      throw error
    }
  }

  private func read() throws(ParquetError) -> ParquetBatch? {
    var batch = ParquetBatch(
      columns: columns, rowCount: 0, values: [[ParquetValue]](repeating: [], count: leaves.count))
    while batch.rowCount < rowsPerBatch {
      guard try openGroup() else { break }
      let count = min(rowsPerBatch - batch.rowCount, rowsLeft)
      for (index, cursor) in cursors.enumerated() {
        do {
          // A false row count takes no memory: an array grows with what is there.
          batch.values[index].reserveCapacity(batch.rowCount + min(count, 1 << 16))
          try cursor.read(count, into: &batch.values[index])
        } catch {
          throw place(error, index)
        }
      }
      batch.rowCount += count
      rowsLeft -= count
    }
    return batch.rowCount > 0 ? batch : nil
  }

  /// Goes on to a row group with rows; false after the last.
  private func openGroup() throws(ParquetError) -> Bool {
    while rowsLeft == 0 {
      guard nextGroup < rowGroups.count else {
        cursors = []
        return false
      }
      let group = rowGroups[nextGroup]
      nextGroup += 1
      rowsLeft = group.rowCount
      cursors = []
      for (index, leaf) in leaves.enumerated() where rowsLeft > 0 {
        do {
          cursors.append(
            try ColumnCursor(
              source, group.columns[leaf.index], leaf, rowCount: group.rowCount, limits: limits))
        } catch {
          throw place(error, index)
        }
      }
    }
    return true
  }

  private func place(_ problem: ParquetError.Problem, _ index: Int) -> ParquetError {
    ParquetError(
      path: source.path, place: "column \(columns[index].name), row group \(nextGroup - 1)",
      problem)
  }
}
