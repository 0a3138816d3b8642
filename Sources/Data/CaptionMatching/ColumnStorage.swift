/// A number in the bytes of a segment, little-endian and at any address.
extension RawSpan {
  /// The `index`-th word of a column.
  @inline(__always)
  func word32(_ column: Range<Int>, _ index: Int) -> UInt32 {
    // Safe: every bit pattern is a number, and the span checks its bounds.
    UInt32(
      littleEndian: unsafe unsafeLoadUnaligned(
        fromByteOffset: column.lowerBound + 4 * index, as: UInt32.self))
  }

  /// The `index`-th word of a column.
  @inline(__always)
  func word64(_ column: Range<Int>, _ index: Int) -> UInt64 {
    // Safe: as above.
    UInt64(
      littleEndian: unsafe unsafeLoadUnaligned(
        fromByteOffset: column.lowerBound + 8 * index, as: UInt64.self))
  }
}

/// The bytes of a segment as they are put together.
struct ColumnWriter {
  private(set) var bytes: [UInt8] = []

  init(byteCount: Int) { bytes.reserveCapacity(byteCount) }

  mutating func append<Word: FixedWidthInteger>(_ column: [Word]) {
    // Safe: integers have no padding, and the machines that Swift runs on are little-endian.
    unsafe column.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }
}
