internal import Crypto

/// SHA-256 (FIPS 180-4) of bytes that arrive at once or piece by piece.
public struct ContentHash: Sendable {
  private var state = SHA256()

  public init() {}

  public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }

  /// The 32 bytes of the digest.
  public func digest() -> [UInt8] { Array(state.finalize()) }

  /// The digest as 64 lower-case hexadecimal digits.
  public func hexDigest() -> String { Self.hex(digest()) }

  /// The digest of `bytes`, 32 bytes.
  public static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

  /// The digest of `bytes` as 64 lower-case hexadecimal digits.
  public static func sha256Hex(_ bytes: [UInt8]) -> String { hex(sha256(bytes)) }

  /// Two lower-case hexadecimal digits for each byte.
  public static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
