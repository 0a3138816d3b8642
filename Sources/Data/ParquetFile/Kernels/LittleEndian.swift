/// Integers in little-endian order at any place.
enum LittleEndian {
  /// The four bytes at `position`, which must be there.
  @inline(__always)
  static func load32(_ bytes: [UInt8], at position: Int) -> UInt32 {
    // Safe: a range beyond the bytes traps.
    unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt32.self)
  }

  @inline(__always)
  static func append32(_ value: UInt32, to bytes: inout [UInt8]) {
    // Safe, here and below: the buffer is a copy of the value.
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  @inline(__always)
  static func append64(_ value: UInt64, to bytes: inout [UInt8]) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
}
