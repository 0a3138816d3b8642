/// A digest's big-endian words; an MD5 has the first two.
struct ReadDigest {
  var words: SIMD4<UInt64>
  var isSHA256: Bool
}

/// Reads digests in hexadecimal, a line each, from text that comes in pieces.
struct DigestReader {
  let name: String
  private var line = 0
  /// The beginning of a line whose end is in the next piece; no longer than a line may be.
  private var begun: [UInt8] = []

  /// Longer lines are wrong, unless behind their first digits they are a comment.
  private static let longestLine = 65_536

  init(name: String) { self.name = name }

  /// The digests of the lines that end in a piece, and of the last line when no piece follows.
  mutating func digests(
    in piece: ArraySlice<UInt8>, isLast: Bool
  ) throws(CrawlPolicyError) -> [ReadDigest] {
    var digests: [ReadDigest] = []
    digests.reserveCapacity(piece.count / 33)
    var rest = piece
    while let end = rest.firstIndex(of: 0x0A) {
      if begun.isEmpty {
        try read(rest[..<end], into: &digests)
      } else {
        begun += rest[..<end]
        try read(begun[...], into: &digests)
        begun = []
      }
      rest = rest[(end + 1)...]
    }
    begun += rest
    if begun.count > Self.longestLine { throw wrong(begun[...], line: line + 1) }
    if isLast, !begun.isEmpty {
      try read(begun[...], into: &digests)
      begun = []
    }
    return digests
  }

  private mutating func read(
    _ text: ArraySlice<UInt8>, into digests: inout [ReadDigest]
  ) throws(CrawlPolicyError) {
    line += 1
    var entry = text
    if line == 1, entry.starts(with: [0xEF, 0xBB, 0xBF]) { entry = entry.dropFirst(3) }
    entry = entry.prefix { $0 != UInt8(ascii: "#") }
    if entry.last == 0x0D { entry.removeLast() }
    entry = entry.trimmed
    if entry.isEmpty { return }
    guard let digest = Self.digest(entry) else { throw wrong(entry, line: line) }
    digests.append(digest)
  }

  private func wrong(_ entry: ArraySlice<UInt8>, line: Int) -> CrawlPolicyError {
    let shown = String(decoding: entry.prefix(100), as: UTF8.self)
    return CrawlPolicyError(.digest(shown), list: name, line: line)
  }

  /// 32 or 64 hexadecimal digits of either case.
  static func digest(_ text: ArraySlice<UInt8>) -> ReadDigest? {
    guard text.count == 32 || text.count == 64 else { return nil }
    var digest = ReadDigest(words: .zero, isSHA256: text.count == 64)
    for (index, character) in text.enumerated() {
      guard let digit = character.hexDigit else { return nil }
      digest.words[index >> 4] = digest.words[index >> 4] << 4 | UInt64(digit)
    }
    return digest
  }
}
