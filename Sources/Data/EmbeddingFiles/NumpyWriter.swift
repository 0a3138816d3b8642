public import DurableFiles

/// Writes rows of floats as a `.npy` file, piece by piece; it appears when it is whole.
public final class NumpyWriter {
  private let path: String
  private let type: NumpyType
  private let rows: Int
  private let columns: Int
  private let file: DurableFileWriter
  private var written = 0

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - path: Where it will be.
  ///   - rows: How many will be appended: the header comes first and says it.
  ///   - columns: Numbers of a row, at least 1.
  ///   - type: Of the numbers in the file.
  /// - Throws: What the file system refuses.
  public init(
    _ path: String, rows: Int, columns: Int, type: NumpyType = .float16
  ) throws(FileError) {
    precondition(rows >= 0 && columns > 0, "\(path): \(rows) rows of \(columns)")
    (self.path, self.type, self.rows, self.columns) = (path, type, rows, columns)
    file = try DurableFileWriter(path)
    try file.write(NumpyHeader(type: type, rows: rows, columns: columns).bytes)
  }

  /// Appends whole rows; the numbers are rounded to nearest.
  public func append(_ floats: [Float]) throws(FileError) {
    try append(bytes: HalfFloats.bytes(floats.span, type: type))
  }

  /// Appends whole rows in the bytes of the file.
  public func append(bytes: [UInt8]) throws(FileError) {
    let size = columns * type.byteCount
    precondition(
      bytes.count % size == 0, "\(path): \(bytes.count) bytes are no rows of \(size)")
    written += bytes.count / size
    precondition(written <= rows, "\(path): \(written) rows of \(rows)")
    try file.write(bytes)
  }

  /// Makes the file durable and visible.
  public func finish() throws(FileError) {
    precondition(written == rows, "\(path): \(written) rows of \(rows)")
    try file.commit()
  }

  /// Publishes all rows at once.
  public static func write(
    _ floats: [Float], columns: Int, type: NumpyType = .float16, to path: String
  ) throws(FileError) {
    let writer = try NumpyWriter(
      path, rows: floats.count / columns, columns: columns, type: type)
    try writer.append(floats)
    try writer.finish()
  }
}

/// Vectors in half precision, as `.npy` files and tables hold them.
public enum HalfVectors {
  /// The little-endian halves of `floats`, rounded to nearest.
  public static func bytes(_ floats: [Float]) -> [UInt8] {
    HalfFloats.bytes(floats.span, type: .float16)
  }

  /// The floats of little-endian halves.
  public static func floats(_ bytes: [UInt8]) -> [Float] {
    var floats = [Float](repeating: 0, count: bytes.count / 2)
    var span = floats.mutableSpan
    unsafe bytes.withUnsafeBytes {
      unsafe HalfFloats.fill(&span, at: 0, from: $0, type: .float16)
    }
    return floats
  }
}
