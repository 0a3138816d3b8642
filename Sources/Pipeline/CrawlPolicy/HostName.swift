/// Host names in the one spelling in which they are compared.
package enum HostName {
  /// The normal spelling of a host from a URL, without port; nil for what can be no host.
  ///
  /// Lower case, no trailing dot, labels beyond ASCII in Punycode with `xn--`, IP addresses in their
  /// usual notation without brackets. Unlike UTS 46 this maps by Unicode's lower case alone, without
  /// normalisation: a name in decomposed or full-width characters is not recognised.
  package static func normalized(_ text: String) -> String? {
    if isNormal(text) { return text }
    var name = text.lowercased()
    if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
    if let address = IPAddress(name) { return address.description }
    if name.utf8.last == UInt8(ascii: ".") { name.removeLast() }
    if let address = IPAddress(name) { return address.description }
    guard (1...1024).contains(name.utf8.count) else { return nil }
    var result = ""
    // IDNA's other full stops (RFC 3490 §3.1) separate labels as well.
    for label in name.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: isDot)
    {
      guard let ascii = asciiLabel(Array(label)) else { return nil }
      if !result.isEmpty { result += "." }
      result += ascii
    }
    return result.utf8.count <= 253 ? result : nil
  }

  /// Whether a text is plainly a host name as it should be, which is the usual case.
  private static func isNormal(_ text: String) -> Bool {
    guard (1...253).contains(text.utf8.count) else { return false }
    var length = 0
    var startsWithLetter = false
    for byte in text.utf8 {
      if byte == UInt8(ascii: ".") {
        guard length > 0 else { return false }
        length = 0
        continue
      }
      let isLetter = byte >= 0x61 && byte <= 0x7A
      guard isLetter || byte.isASCIIDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      else { return false }
      if length == 0 { startsWithLetter = isLetter }
      length += 1
      if length > 63 { return false }
    }
    // An address's last label begins with a digit; a trailing dot leaves an empty one.
    return length > 0 && startsWithLetter
  }

  private static func isDot(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "." || scalar == "\u{3002}" || scalar == "\u{FF0E}" || scalar == "\u{FF61}"
  }

  /// RFC 3490's ToASCII without its mapping: at most 63 bytes, no separators of a URL.
  private static func asciiLabel(_ label: [Unicode.Scalar]) -> String? {
    guard (1...63).contains(label.count) else { return nil }
    let isFine = label.allSatisfy {
      !$0.isASCII || ($0.value > 0x20 && $0.value < 0x7F && !isSeparator($0))
    }
    guard isFine else { return nil }
    if label.allSatisfy(\.isASCII) { return String(String.UnicodeScalarView(label)) }
    guard let encoded = Punycode.encode(label), encoded.utf8.count <= 59 else { return nil }
    return "xn--" + encoded
  }

  private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
    "/\\:?#@[]%*,;\"'<>".unicodeScalars.contains(scalar)
  }
}

/// RFC 3492's encoding of Unicode labels in letters, digits and hyphens.
package enum Punycode {
  // RFC 3492 §5.
  private static let base: UInt32 = 36
  private static let lowestThreshold: UInt32 = 1
  private static let highestThreshold: UInt32 = 26
  private static let skew: UInt32 = 38
  private static let damp: UInt32 = 700
  private static let firstCode: UInt32 = 0x80
  private static let firstBias: UInt32 = 72

  /// RFC 3492 §6.3; nil for more than 63 characters.
  ///
  /// At most 63 characters, so that no sum overflows: 0x10FFFF · 64 is below 2³².
  package static func encode(_ label: [Unicode.Scalar]) -> String? {
    guard label.count <= 63 else { return nil }
    let codes = label.map(\.value)
    var output = codes.filter { $0 < firstCode }.map { UInt8($0) }
    let basicCount = UInt32(output.count)
    var handled = basicCount
    if basicCount > 0 { output.append(UInt8(ascii: "-")) }
    var code = firstCode
    var delta: UInt32 = 0
    var bias = firstBias
    while handled < codes.count {
      guard let next = codes.filter({ $0 >= code }).min() else { return nil }
      delta += (next - code) * (handled + 1)
      code = next
      for other in codes {
        if other < code { delta += 1 }
        if other == code {
          appendVariableLength(delta, bias: bias, to: &output)
          bias = adapted(delta, count: handled + 1, isFirst: handled == basicCount)
          delta = 0
          handled += 1
        }
      }
      delta += 1
      code += 1
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static func appendVariableLength(
    _ delta: UInt32, bias: UInt32, to output: inout [UInt8]
  ) {
    var rest = delta
    var place = base
    while true {
      let threshold =
        place <= bias
        ? lowestThreshold : min(max(place - bias, lowestThreshold), highestThreshold)
      if rest < threshold { break }
      output.append(digit(threshold + (rest - threshold) % (base - threshold)))
      rest = (rest - threshold) / (base - threshold)
      place += base
    }
    output.append(digit(rest))
  }

  /// a to z are 0 to 25, 0 to 9 are 26 to 35.
  private static func digit(_ value: UInt32) -> UInt8 {
    UInt8(value < 26 ? value + 0x61 : value - 26 + 0x30)
  }

  private static func adapted(_ delta: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
    var delta = isFirst ? delta / damp : delta / 2
    delta += delta / count
    var place: UInt32 = 0
    while delta > (base - lowestThreshold) * highestThreshold / 2 {
      delta /= base - lowestThreshold
      place += base
    }
    return place + (base - lowestThreshold + 1) * delta / (delta + skew)
  }
}
