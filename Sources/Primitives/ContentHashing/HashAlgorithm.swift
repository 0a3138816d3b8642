internal import Crypto

/// The digests by which lists name the bytes that a URL should give.
public enum HashAlgorithm: String, Sendable, Codable, CaseIterable {
  case md5, sha256, sha512

  /// Hexadecimal digits of a digest.
  public var digits: Int {
    switch self {
    case .md5: 32
    case .sha256: 64
    case .sha512: 128
    }
  }

  /// The algorithm whose digests have this many hexadecimal digits; nil for another count.
  public init?(digits: Int) {
    guard let algorithm = Self.allCases.first(where: { $0.digits == digits }) else { return nil }
    self = algorithm
  }

  /// The digest of `bytes` as lower-case hexadecimal digits.
  public func hexDigest(of bytes: [UInt8]) -> String {
    switch self {
    // Lists of old have MD5; it names bytes here, and guards nothing.
    case .md5: ContentHash.hex(Array(Insecure.MD5.hash(data: bytes)))
    case .sha256: ContentHash.sha256Hex(bytes)
    case .sha512: ContentHash.hex(Array(SHA512.hash(data: bytes)))
    }
  }
}
