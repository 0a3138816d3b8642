/// Text as the tables' JSON holds it, appended byte by byte.
///
/// What ``JSONValue`` writes, for those who write many rows and need no values.
public enum JSONText {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Appends `text`, which is UTF-8, as a JSON string: unescaped where it may be (RFC 8259 §7).
  public static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
    append(text, 0..<text.count, to: &bytes)
  }

  /// Appends the bytes of `text` in `range`, which are UTF-8, as a JSON string.
  public static func append(_ text: [UInt8], _ range: Range<Int>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var start = range.lowerBound
    for index in range {
      let byte = text[index]
      if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
      bytes += text[start..<index]
      escape(byte, to: &bytes)
      start = index + 1
    }
    bytes += text[start..<range.upperBound]
    bytes.append(UInt8(ascii: "\""))
  }

  private static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      bytes += "u00".utf8
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    }
  }
}
