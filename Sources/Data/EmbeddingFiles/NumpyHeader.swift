/// The header of a `.npy` file: what the array is, and where its numbers begin.
///
/// Magic, version, the length of a Python dictionary (two bytes in version 1, four in 2 and 3), the dictionary
/// with `descr`, `fortran_order` and `shape`, and the numbers.
///
/// Source: numpy/lib/format.py.
struct NumpyHeader: Equatable {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Bytes in front of the dictionary at most.
  static let preambleBytes = 12
  /// The longest dictionary that is read; that of an array of floats has some 100 bytes.
  static let longest = 1 << 16
  /// NumPy begins the numbers at a multiple of this.
  private static let alignment = 64

  var type: NumpyType
  var rows: Int
  var columns: Int

  /// The header as it is written, version 1.
  var bytes: [UInt8] {
    let text =
      "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    var dictionary = Array(text.utf8)
    // A line feed ends it.
    while (10 + dictionary.count + 1) % Self.alignment != 0 { dictionary.append(0x20) }
    dictionary.append(0x0A)
    return Self.magic + [1, 0] + [UInt8(dictionary.count & 255), UInt8(dictionary.count >> 8)]
      + dictionary
  }

  /// Where the dictionary lies, from the first ``preambleBytes`` of a file.
  static func place(
    _ start: [UInt8], fileSize: Int
  ) throws(NumpyFault) -> Range<Int> {
    guard start.count >= 10, start.starts(with: magic) else {
      throw .notNumpy("it does not begin with \\x93NUMPY")
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw .unsupported("version \(start[6]).\(start[7]) of the format is not read")
    }
    let isShort = start[6] == 1
    guard isShort || start.count >= 12 else { throw .damaged("it ends in its header") }
    let first = isShort ? 10 : 12
    let length =
      isShort
      ? Int(start[8]) | Int(start[9]) << 8
      : (0..<4).reduce(0) { $0 | Int(start[8 + $1]) << (8 * $1) }
    guard length <= longest else { throw .damaged("a header of \(length) bytes") }
    guard first + length <= fileSize else {
      throw .damaged("a header of \(length) bytes in a file of \(fileSize)")
    }
    return first..<first + length
  }

  /// Parses the dictionary; `dataBytes` are behind it.
  init(dictionary: [UInt8], dataBytes: Int) throws(NumpyFault) {
    var reader = PythonLiterals(dictionary)
    let fields = try reader.dictionary()
    guard case .text(let descr)? = fields["descr"] else {
      throw .unsupported("its values are records")
    }
    guard let type = NumpyType(rawValue: descr) else {
      throw .unsupported("its values are '\(descr.prefix(16))', not little-endian floats")
    }
    guard case .flag(let isFortran)? = fields["fortran_order"] else {
      throw .damaged("the header says nothing of fortran_order")
    }
    guard case .tuple(let shape)? = fields["shape"] else {
      throw .damaged("the header has no shape")
    }
    guard shape.count == 2 else {
      throw .unsupported("it has \(shape.count) dimensions, not rows and columns")
    }
    // A single column or row is the same either way.
    guard !isFortran || shape.contains(where: { $0 <= 1 }) else {
      throw .unsupported("its columns come first (fortran_order)")
    }
    let (values, isOver) = shape[0].multipliedReportingOverflow(by: shape[1])
    let (bytes, isOverToo) = values.multipliedReportingOverflow(by: type.byteCount)
    guard !isOver, !isOverToo, bytes == dataBytes, shape[1] > 0 else {
      throw .damaged(
        "\(shape[0]) × \(shape[1]) numbers of \(type.byteCount) bytes are claimed, and"
          + " \(dataBytes) bytes are there")
    }
    (self.type, rows, columns) = (type, shape[0], shape[1])
  }

  init(type: NumpyType, rows: Int, columns: Int) {
    (self.type, self.rows, self.columns) = (type, rows, columns)
  }
}

/// What is wrong with a header; the path is the caller's.
enum NumpyFault: Error, Equatable {
  case notNumpy(String)
  case damaged(String)
  case unsupported(String)

  func error(_ path: String) -> EmbeddingFileError {
    switch self {
    case .notNumpy(let words): EmbeddingFileError(path: path, .notNumpy(words))
    case .damaged(let words): EmbeddingFileError(path: path, .damaged(words))
    case .unsupported(let words): EmbeddingFileError(path: path, .unsupported(words))
    }
  }
}
