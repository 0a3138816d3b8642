public import PerceptualHash

/// 128 bits that name something: a pair's uid, or the beginning of a SHA-256.
public struct Name128: Sendable, Hashable, Comparable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// - Parameter hex: At least 32 hexadecimal digits, of which the first 32 count; nil for others.
  public init?(hex: String) {
    let digits = hex.utf8.prefix(32)
    // A number's parser would take a sign as well.
    guard digits.count == 32, !digits.contains(UInt8(ascii: "+")),
      !digits.contains(UInt8(ascii: "-")),
      let high = UInt64(String(decoding: digits.prefix(16), as: UTF8.self), radix: 16),
      let low = UInt64(String(decoding: digits.dropFirst(16), as: UTF8.self), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  /// 32 hexadecimal digits.
  public var hex: String {
    [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  public static func < (a: Name128, b: Name128) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// One kept picture of an index.
public struct PictureEntry: Sendable, Equatable {
  /// The pair's uid; of a foreign picture, what names it there.
  public var uid: Name128
  /// The row of the list from which the index was made.
  public var row: Int
  /// The first 128 bits of the SHA-256 of the bytes; nil where nobody has kept it.
  public var digest: Name128?
  /// Nil where the picture was never looked at.
  public var signature: PictureSignature?

  public init(uid: Name128, row: Int, digest: Name128?, signature: PictureSignature?) {
    self.uid = uid
    self.row = row
    self.digest = digest
    self.signature = signature
  }
}
