import CZlib

/// The checksum of ZIP and gzip (RFC 1952, section 8).
public enum CRC32 {
  /// - Parameters:
  ///   - bytes: What is added.
  ///   - previous: The checksum of what stands in front of them.
  /// - Returns: The checksum of both.
  public static func checksum(_ bytes: [UInt8], after previous: UInt32 = 0) -> UInt32 {
    // zlib's length is a size_t in crc32_z, so that no piece is too long.
    let sum = unsafe bytes.withUnsafeBufferPointer {
      unsafe crc32_z(UInt(previous), $0.baseAddress, $0.count)
    }
    // An empty array may have no address, which zlib takes as a question for the first value.
    return bytes.isEmpty ? previous : UInt32(truncatingIfNeeded: sum)
  }
}
