internal import Crypto

/// The name that git gives a file's bytes: SHA-1 over `blob SIZE`, a zero byte and the bytes.
///
/// It tells one state of a file from another; against someone who makes two files alike it guards nothing.
/// Source: Pro Git, §10.2 "Object Storage".
public struct GitBlobHash: Sendable {
  private var state = Insecure.SHA1()

  /// - Parameter byteCount: Of the whole file, which ``update(_:)`` then gets.
  public init(byteCount: Int) { state.update(data: Array("blob \(byteCount)\0".utf8)) }

  public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }

  /// 40 lower-case hexadecimal digits.
  public func hexDigest() -> String { ContentHash.hex(Array(state.finalize())) }
}
