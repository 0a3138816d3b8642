/// The one spelling in which the octets of paths and of patterns are compared (RFC 9309 §2.2.2).
///
/// - Percent-encoded unreserved characters are decoded, hexadecimal digits are upper case, and all
///   octets that RFC 3986 knows neither as reserved nor as unreserved are encoded.
/// - `*` and `$` in a path are encoded, so that a pattern's `%2A` and `%24` mean them verbatim
///   (RFC 9309 §2.2.3).
/// - Reserved characters equal their encoded forms: the RFC has them encoded on both sides, which
///   comes to the same as decoding them. What divides a path stays apart: `%2F` and `%3F` are decoded
///   behind the first `?` only, as its example `?baz=https%3A%2F%2Ffoo.bar` wants, `%23` never.
/// - A `%` without two digits stays as it is.
package enum PercentEncoding {
  /// A request's `path?query`; a missing first slash is added, a fragment dropped.
  package static func path(_ text: String) -> [UInt8] {
    var bytes = Array(text.utf8)
    if let hash = bytes.firstIndex(of: UInt8(ascii: "#")) { bytes.removeSubrange(hash...) }
    if bytes.first != UInt8(ascii: "/") { bytes.insert(UInt8(ascii: "/"), at: 0) }
    return normalized(bytes[...], isPattern: false)
  }

  /// A pattern: `*` stays a wildcard, and a last `$` the end.
  package static func pattern(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    normalized(bytes, isPattern: true)
  }

  private static func normalized(_ bytes: ArraySlice<UInt8>, isPattern: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var isQuery = false
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "%"):
        guard let octet = encodedOctet(bytes[index...]) else {
          result.append(byte)
          continue
        }
        index += 2
        if octet.isUnreserved || octet.isPlainReserved || (isQuery && octet.isDivider) {
          result.append(octet)
        } else {
          result.appendEncoded(octet)
        }
      case UInt8(ascii: "?"):
        isQuery = true
        result.append(byte)
      case UInt8(ascii: "*"):
        isPattern ? result.append(byte) : result.appendEncoded(byte)
      case UInt8(ascii: "$"):
        isPattern && index == bytes.endIndex ? result.append(byte) : result.appendEncoded(byte)
      default:
        byte.isUnreserved || byte.isPlainReserved || byte.isDivider
          ? result.append(byte) : result.appendEncoded(byte)
      }
    }
    return result
  }

  private static func encodedOctet(_ rest: ArraySlice<UInt8>) -> UInt8? {
    guard rest.count >= 2 else { return nil }
    guard let high = rest[rest.startIndex].hexDigit, let low = rest[rest.startIndex + 1].hexDigit
    else { return nil }
    return high << 4 | low
  }
}

extension UInt8 {
  var isASCIILetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
  var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
  /// Space, tab, vertical tab and form feed; never an end of line.
  var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0B || self == 0x0C }
  var lowercasedASCII: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }

  /// The value of a hexadecimal digit of either case.
  var hexDigit: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }

  fileprivate var isUnreserved: Bool {
    isASCIILetter || isASCIIDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
      || self == UInt8(ascii: "_") || self == UInt8(ascii: "~")
  }

  /// RFC 3986's reserved characters but for those that divide paths and those of patterns.
  fileprivate var isPlainReserved: Bool {
    switch self {
    case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "@"),
      UInt8(ascii: "!"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
      UInt8(ascii: "="):
      true
    default: false
    }
  }

  fileprivate var isDivider: Bool { self == UInt8(ascii: "/") || self == UInt8(ascii: "?") }
}

extension [UInt8] {
  fileprivate mutating func appendEncoded(_ octet: UInt8) {
    let digits = Array("0123456789ABCDEF".utf8)
    append(UInt8(ascii: "%"))
    append(digits[Int(octet >> 4)])
    append(digits[Int(octet & 15)])
  }
}

extension ArraySlice<UInt8> {
  /// Without the blanks at both ends.
  var trimmed: ArraySlice<UInt8> {
    var slice = self
    while slice.first?.isBlank == true { slice.removeFirst() }
    while slice.last?.isBlank == true { slice.removeLast() }
    return slice
  }
}
