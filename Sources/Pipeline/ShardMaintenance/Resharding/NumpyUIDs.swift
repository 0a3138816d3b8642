import DurableFiles

/// DataComp's subset files: a NumPy array of pairs of UInt64s, the two halves of each uid.
///
/// Source: numpy/lib/format.py (magic, version, length of the header, a Python dictionary, data);
/// DataComp's baselines/utils.py, dtype `u8,u8`.
package enum NumpyUIDs {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy itself refuses longer headers.
  private static let longestHeader = 10_000

  static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// The uids of the file at `path`, in its order.
  ///
  /// Reads it in pieces of 1 MiB into 16 bytes a uid.
  ///
  /// - Throws: ``UIDListError`` where header and size do not say two columns of '<u8'.
  static func read(_ path: String) throws -> [UIDList.Number] {
    func fault(_ problem: String) -> UIDListError { UIDListError(path: path, problem: problem) }
    let size = try DurableFile.size(of: path)
    let start = try DurableFile.read(path, count: 12, at: 0)
    guard start.count == 12, begins(start) else { throw fault("it is cut in its header") }
    // Version 1 has a length of two bytes, later ones of four.
    let isShort = start[6] == 1
    let headerStart = isShort ? 10 : 12
    let length =
      isShort
      ? Int(start[8]) | Int(start[9]) << 8
      : (0..<4).reduce(0) { $0 | Int(start[8 + $1]) << (8 * $1) }
    guard length <= longestHeader, headerStart + length <= size else {
      throw fault("its header claims \(length) bytes")
    }
    let text = String(
      decoding: try DurableFile.read(path, count: length, at: headerStart), as: UTF8.self)
    let header = text.filter { $0 != " " && $0 != "\n" }
    guard let fields = header.firstRange(of: "'descr':["),
      let end = header[fields.upperBound...].firstIndex(of: "]")
    else { throw fault("its values are no pairs") }
    let columns = header[fields.upperBound..<end].split(separator: ")")
      .map { $0.drop { $0 == "," || $0 == "(" } }
    guard columns.count == 2, columns.allSatisfy({ $0.hasSuffix(",'<u8'") }) else {
      throw fault("its values are no pairs of '<u8'")
    }
    guard header.contains("'fortran_order':False"), let shape = header.firstRange(of: "'shape':("),
      let comma = header[shape.upperBound...].firstIndex(of: ","),
      let count = Int(header[shape.upperBound..<comma]), count >= 0,
      header[comma...].hasPrefix(",)")
    else { throw fault("it is no array of one dimension") }
    let dataStart = headerStart + length
    let (bytes, overflow) = count.multipliedReportingOverflow(by: 16)
    guard !overflow, size - dataStart == bytes else {
      throw fault("it has \(size - dataStart) bytes for \(count) uids of 16")
    }
    var numbers: [UIDList.Number] = []
    numbers.reserveCapacity(count)
    for offset in stride(from: dataStart, to: size, by: 1 << 20) {
      let piece = try DurableFile.read(path, count: 1 << 20, at: offset)
      for place in stride(from: 0, to: piece.count - 15, by: 16) {
        numbers.append(
          UIDList.Number(high: word(piece, at: place), low: word(piece, at: place + 8)))
      }
    }
    return numbers
  }

  private static func word(_ bytes: [UInt8], at place: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in (0..<8).reversed() { value = value << 8 | UInt64(bytes[place + index]) }
    return value
  }
}
