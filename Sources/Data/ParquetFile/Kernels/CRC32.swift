/// The checksum of a page: the CRC-32 of gzip and Ethernet, polynomial 0x04C11DB7 reflected.
enum CRC32 {
  /// Eight tables of 256, so that eight bytes are taken per step (Kounavis and Berry 2005).
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      tables[byte] = value
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
    }
    return tables
  }()

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    let tables = tables.span
    let raw = unsafe bytes.span.bytes  // bytes have no padding
    var crc = ~UInt32(0)
    var index = 0
    while index + 8 <= bytes.count {
      // Safe: eight bytes are left.
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let mixed = UInt64(littleEndian: word) ^ UInt64(crc)
      crc = 0
      for place in 0..<8 {
        let byte = Int(truncatingIfNeeded: mixed >> (8 * UInt64(place)) & 0xFF)
        crc ^= tables[(7 - place) * 256 + byte]
      }
      index += 8
    }
    while index < bytes.count {
      crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
      index += 1
    }
    return ~crc
  }
}
