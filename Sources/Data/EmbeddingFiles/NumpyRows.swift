import DurableFiles

/// The rows of a `.npy` file of floats, read where they lie.
///
/// Opening reads the header and holds it against the size of the file; rows become Float as they are copied.
/// Any number of threads may read.
public final class NumpyRows: Sendable {
  public let path: String
  public let rows: Int
  public let columns: Int
  public let type: NumpyType
  private let file: MappedFile
  private let dataStart: Int

  /// - Throws: ``EmbeddingFileError`` for what is no array of rows of little-endian floats, C order.
  public convenience init(path: String) throws(EmbeddingFileError) {
    let file: MappedFile
    do {
      file = try MappedFile(path)
    } catch {
      throw EmbeddingFileError(path: path, .file(error))
    }
    try self.init(file, 0..<file.size, name: path)
  }

  /// The array that lies in some bytes of a file.
  init(_ file: MappedFile, _ range: Range<Int>, name: String) throws(EmbeddingFileError) {
    do throws(NumpyFault) {
      let start = range.lowerBound
      let place = try NumpyHeader.place(
        file.bytes(start..<min(range.upperBound, start + NumpyHeader.preambleBytes)),
        fileSize: range.count)
      let header = try NumpyHeader(
        dictionary: file.bytes(start + place.lowerBound..<start + place.upperBound),
        dataBytes: range.count - place.upperBound)
      (rows, columns, type) = (header.rows, header.columns, header.type)
      dataStart = start + place.upperBound
    } catch {
      throw error.error(name)
    }
    self.file = file
    path = name
  }

  /// Copies rows into `floats`, one behind the other from `offset` on.
  public func copy(_ range: Range<Int>, to floats: inout MutableSpan<Float>, at offset: Int = 0) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "\(path): rows \(range) of \(rows)")
    let size = columns * type.byteCount
    unsafe file.withBytes(dataStart + range.lowerBound * size..<dataStart + range.upperBound * size)
    {
      unsafe HalfFloats.fill(&floats, at: offset, from: $0, type: type)
    }
  }

  /// Some rows, one behind the other.
  public func vectors(_ range: Range<Int>) -> [Float] {
    var floats = [Float](repeating: 0, count: range.count * columns)
    var span = floats.mutableSpan
    copy(range, to: &span)
    return floats
  }
}
