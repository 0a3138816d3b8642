/// Castagnoli's checksum (RFC 3720, appendix B.4), as TFRecord files hold it.
public enum CRC32C {
  /// The polynomial 0x1EDC6F41 with its bits in reverse, divided by each byte.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
  }

  /// The checksum of some bytes; costs a look into a table for each.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
      sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)]
    }
  }
}
