public import Compression
import DurableFiles

/// Writes a Parquet file that appears whole under its name, or not at all.
///
/// Pages are of the first version, with checksums; levels are RLE; a column's dictionary is kept
/// where it makes the column smaller. Row groups and columns carry statistics, and a page index
/// stands before the footer. The same rows give the same bytes, however they are split over calls
/// of ``append(_:)``. A row group's values are in memory until it is full.
public final class ParquetWriter {
  private let path: String
  private let file: DurableFileWriter
  private let codec: BlockCodec?
  private let rowsPerGroup: Int
  private let metadata: [(String, String)]
  private var buffers: [LeafBuffer] = []
  private var groups: [(rowCount: Int, chunks: [WrittenChunk])] = []
  private var rowsInGroup = 0
  private var isBroken = false
  private static let magic = Array("PAR1".utf8)

  /// Begins a file; nothing is visible under `path` before ``finish()``.
  ///
  /// - Parameters:
  ///   - path: Where it will be.
  ///   - columns: At least one. All types but decimals, INT96 and half floats can be written.
  ///   - codec: Nil for none.
  ///   - rowsPerGroup: The rows of a row group; a reader's and this writer's memory grows with it.
  ///   - metadata: Key-value metadata, in this order.
  /// - Throws: `unsupported` for a column of another type, `file` where none can be made.
  public init(
    path: String, columns: [ParquetColumn], codec: BlockCodec? = .zstd,
    rowsPerGroup: Int = 65_536, metadata: [(String, String)] = []
  ) throws(ParquetError) {
    precondition(rowsPerGroup > 0, "row groups of \(rowsPerGroup) rows")
    precondition(!columns.isEmpty, "a Parquet file has columns")
    self.path = path
    self.codec = codec
    self.rowsPerGroup = rowsPerGroup
    self.metadata = metadata
    do {
      file = try DurableFileWriter(path)
    } catch {
      throw ParquetError(path: path, .file(error))
    }
    for (index, column) in columns.enumerated() {
      do throws(ParquetError.Problem) {
        guard !columns[..<index].contains(where: { $0.name == column.name }) else {
          throw .noSuchColumn("two columns have this name")
        }
        buffers.append(try LeafBuffer(column))
      } catch {
        throw ParquetError(path: path, place: "column \(column.name)", error)
      }
    }
    try write(Self.magic)
  }

  private func write(_ bytes: [UInt8]) throws(ParquetError) {
    do {
      try file.write(bytes)
    } catch {
      isBroken = true
      throw ParquetError(path: path, .file(error))
    }
  }

  /// Appends rows: by column, the same number of values for each.
  ///
  /// - Throws: `wrongValue` with the row's number, counted from 0 over the whole file; after any
  ///   error the file cannot be finished.
  public func append(_ values: [[ParquetValue]]) throws(ParquetError) {
    precondition(values.count == buffers.count, "\(values.count) columns of \(buffers.count)")
    precondition(!isBroken, "\(path): rows after an error")
    let count = values[0].count
    for column in values {
      precondition(column.count == count, "columns of \(column.count) and of \(count) rows")
    }
    var done = 0
    while done < count {
      let take = min(count - done, rowsPerGroup - rowsInGroup)
      for column in buffers.indices {
        for row in done..<done + take {
          do {
            try buffers[column].append(values[column][row])
          } catch {
            isBroken = true
            let number = groups.reduce(rowsInGroup) { $0 + $1.rowCount } + row - done
            throw ParquetError(
              path: path, place: "column \(buffers[column].column.name), row \(number)", error)
          }
        }
      }
      done += take
      rowsInGroup += take
      if rowsInGroup == rowsPerGroup { try writeGroup() }
    }
  }

  private func writeGroup() throws(ParquetError) {
    var chunks: [WrittenChunk] = []
    for index in buffers.indices {
      let (bytes, chunk) = ColumnWriter.encode(buffers[index], codec: codec, at: file.byteCount)
      try write(bytes)
      chunks.append(chunk)
      buffers[index].removeAll()
    }
    groups.append((rowsInGroup, chunks))
    rowsInGroup = 0
  }

  /// Writes what is left and the footer, and makes the file durable and visible.
  public func finish() throws(ParquetError) {
    precondition(!isBroken, "\(path): finished after an error")
    if rowsInGroup > 0 { try writeGroup() }
    try writePageIndex()
    let footer = FooterWriter.footer(buffers, groups, codec: codec, metadata: metadata)
    try write(footer)
    let size = UInt32(footer.count)
    try write((0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + Self.magic)
    do {
      try file.commit()
    } catch {
      isBroken = true
      throw ParquetError(path: path, .file(error))
    }
  }

  /// All column indexes, then all offset indexes (PageIndex.md).
  private func writePageIndex() throws(ParquetError) {
    for group in groups.indices {
      for column in buffers.indices where groups[group].chunks[column].hasColumnIndex {
        let bytes = FooterWriter.columnIndex(buffers[column], groups[group].chunks[column])
        groups[group].chunks[column].columnIndex = (file.byteCount, bytes.count)
        try write(bytes)
      }
    }
    for group in groups.indices {
      for column in buffers.indices {
        let bytes = FooterWriter.offsetIndex(groups[group].chunks[column])
        groups[group].chunks[column].offsetIndex = (file.byteCount, bytes.count)
        try write(bytes)
      }
    }
  }
}
