/// UTF-8 and its two common misspellings, read as ftfy's codec `utf-8-variants` does.
///
/// CESU-8 (Unicode Technical Report #26): characters above U+FFFF as two surrogates of three bytes.
/// Java's: U+0000 as C0 80.
enum UTF8Variants {
  /// The characters, or nil if `bytes` are something else.
  static func decode(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
    guard bytes.contains(where: { $0 == 0xED || $0 == 0xC0 }) else { return strict(bytes[...]) }
    var result: [Unicode.Scalar] = []
    var rest = bytes[...]
    while let special = rest.indices.first(where: { isSpecial(rest[$0...]) }) {
      guard let plain = strict(rest[..<special]) else { return nil }
      result += plain
      rest = rest[special...]
      if rest.first == 0xC0 {
        // With one byte more it is a null even where that byte is a line break (see `isEnd`).
        guard rest.count > 1 else { return nil }
        result.append("\0")
        rest = rest.dropFirst(2)
      } else {
        guard let scalar = joined(Array(rest.prefix(6)), isLast: rest.count == 6) else {
          return nil
        }
        result.append(scalar)
        rest = rest.dropFirst(6)
      }
    }
    guard let plain = strict(rest) else { return nil }
    return result + plain
  }

  private static func strict(_ bytes: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
    String(validating: bytes, as: UTF8.self).map { Array($0.unicodeScalars) }
  }

  /// Python's `$`: the end, or the line break before it.
  ///
  /// It lets odd endings pass for characters.
  private static func isEnd(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.isEmpty || (bytes.count == 1 && bytes.first == 0x0A)
  }

  /// Whether what UTF-8 forbids begins here, in full or cut off by the end.
  private static func isSpecial(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, first == 0xC0 || first == 0xED else { return false }
    let rest = bytes.dropFirst()
    if isEnd(rest) { return true }
    if first == 0xC0 { return rest.first == 0x80 }
    guard let second = rest.first, (0xA0...0xBF).contains(second) else { return false }
    let third = rest.dropFirst()
    return isEnd(third) || (0x80...0xBF).contains(third.first ?? 0)
  }

  /// The character of two surrogates of three bytes each.
  private static func joined(_ bytes: [UInt8], isLast: Bool) -> Unicode.Scalar? {
    guard bytes.count == 6, bytes[0] == 0xED, (0xA0...0xAF).contains(bytes[1]),
      (0x80...0xBF).contains(bytes[2]), bytes[3] == 0xED, (0xB0...0xBF).contains(bytes[4]),
      (0x80...0xBF).contains(bytes[5]) || (isLast && bytes[5] == 0x0A)
    else { return nil }
    let high = UInt32(bytes[1] & 0x0F) << 16 | UInt32(bytes[2] & 0x3F) << 10
    return Unicode.Scalar(high + UInt32(bytes[4] & 0x0F) << 6 + UInt32(bytes[5] & 0x3F) + 0x1_0000)
  }
}
