package import DurableFiles

/// Bytes that are read by place: those of a file, or of an array.
package enum ByteSource: Sendable {
  case file(FileReader)
  case bytes([UInt8], name: String)

  package init(path: String) throws(ZipError) {
    do throws(FileError) { self = .file(try FileReader(path)) } catch {
      throw ZipError(.unreadable(error), file: path)
    }
  }

  /// Where they come from, for messages.
  package var name: String {
    switch self {
    case .file(let reader): reader.path
    case .bytes(_, let name): name
    }
  }

  package var size: Int {
    switch self {
    case .file(let reader): reader.size
    case .bytes(let bytes, _): bytes.count
    }
  }

  /// Exactly `count` bytes; memory is taken for no more than the file has.
  package func read(_ count: Int, at offset: Int) throws(ZipError) -> [UInt8] {
    guard count >= 0, offset >= 0, offset <= size, count <= size - offset else {
      let (end, overflow) = offset.addingReportingOverflow(count)
      throw ZipError(.truncated(expected: overflow ? .max : end, actual: size), file: name)
    }
    switch self {
    case .bytes(let bytes, _): return Array(bytes[offset..<(offset + count)])
    case .file(let reader):
      let bytes: [UInt8]
      do throws(FileError) { bytes = try reader.read(count: count, at: offset) } catch {
        throw ZipError(.unreadable(error), file: name)
      }
      guard bytes.count == count else {  // The file has shrunk since its size was asked.
        throw ZipError(
          .truncated(expected: offset + count, actual: offset + bytes.count), file: name)
      }
      return bytes
    }
  }
}

/// Little-endian numbers, as ZIP and pickle hold them.
extension [UInt8] {
  /// The `count` bytes from `offset`, at most eight; the caller has checked that they are there.
  package func littleEndian(_ offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(self[offset + $1]) }
  }

  package mutating func append(littleEndian value: some FixedWidthInteger, _ count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }
}
