import DurableFiles
import PipelineCore

/// The lines of all chunks, set aside until it is known which rows are duplicates.
///
/// Only then are the tables of chunks published, each once and with its final bytes: an attempt that
/// lost its lease writes nothing that another would not. Takes the list's room on disk meanwhile.
final class StagedRows {
  private static let pieceSize = 256 << 10

  private let file: SpillFile
  private var buffer: [UInt8] = []
  private var size = 0
  /// Where each chunk begins.
  private var starts: [Int] = []

  init(in folder: String) throws(FileError) { file = try SpillFile(in: folder) }

  var chunkCount: Int { starts.count }

  /// Begins the next chunk.
  func beginChunk() { starts.append(size + buffer.count) }

  /// Lets `body` append a line.
  func append<T>(_ body: (inout [UInt8]) -> T) throws(FileError) -> T {
    let result = body(&buffer)
    if buffer.count >= Self.pieceSize { try flush() }
    return result
  }

  private func flush() throws(FileError) {
    try file.append(bytes: buffer)
    size += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }

  /// Publishes the tables of the chunks in `chunks`.
  ///
  /// - Parameters:
  ///   - chunks: Must have been appended whole.
  ///   - duplicates: Those of their rows, sorted.
  ///   - path: Where the table of a chunk goes.
  ///   - rowsPerChunk: The rows of a chunk.
  /// - Throws: ``FileError``.
  func publish(
    _ chunks: Range<Int>, duplicates: [(row: Int, survivor: Int)], path: (Int) -> String,
    rowsPerChunk: Int
  ) throws(FileError) {
    try flush()
    var next = 0
    for chunk in chunks {
      let first = next
      while next < duplicates.count, duplicates[next].row / rowsPerChunk == chunk { next += 1 }
      let table = try SettledLaterFile(path(chunk))
      let end = chunk + 1 < starts.count ? starts[chunk + 1] : size
      try copy(starts[chunk]..<end, duplicates[first..<next], to: table)
      try table.publish()
    }
    precondition(next == duplicates.count, "duplicates of rows in no chunk")
  }

  private func copy(
    _ range: Range<Int>, _ duplicates: ArraySlice<(row: Int, survivor: Int)>,
    to table: SettledLaterFile
  ) throws(FileError) {
    var rest = duplicates
    var offset = range.lowerBound
    var held: [UInt8] = []
    while offset < range.upperBound {
      held += try file.read(bytes: min(Self.pieceSize, range.upperBound - offset), at: offset)
      offset = min(offset + Self.pieceSize, range.upperBound)
      var start = 0
      // What is copied at once ends before the next duplicate's line end, or with the last whole line.
      var done = 0
      while !rest.isEmpty {
        let end = place(of: 0x0A, in: held, start, held.count)
        guard end < held.count else { break }
        if let first = rest.first, Self.row(held, start) == first.row {
          rest.removeFirst()
          table.buffer += held[done..<end - 1]
          table.buffer += #","drop":"duplicate_url","of":"#.utf8
          table.buffer += String(first.survivor).utf8
          table.buffer.append(UInt8(ascii: "}"))
          done = end
        }
        start = end + 1
      }
      let whole = rest.isEmpty ? held.count : start
      table.buffer += held[done..<whole]
      held.removeFirst(whole)
      try table.flushIfFull()
    }
    precondition(rest.isEmpty, "row \(rest.first?.row ?? 0) was not set aside")
  }

  /// The number in `{"row":N,…`.
  private static func row(_ bytes: [UInt8], _ start: Int) -> Int {
    var number = 0
    for byte in bytes[(start + 7)...] {
      guard byte >= 0x30, byte <= 0x39 else { break }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }
}
