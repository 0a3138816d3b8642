/// The ASCII form of international host names (RFC 3492, RFC 5891).
///
/// Letters are put in lower case one by one; what Unicode would also compose or map (UTS 46) is left
/// as it stands, so two rare spellings may count as two names, but never two names as one.
enum Punycode {
  /// `host` with every label that is not ASCII as `xn--…`; nil where that cannot be.
  static func host(_ host: ArraySlice<UInt8>) -> [UInt8]? {
    guard let text = String(validating: host, as: UTF8.self) else { return nil }
    var labels: [[Unicode.Scalar]] = [[]]
    for scalar in text.unicodeScalars {
      // The ideographic full stops count as dots (RFC 3490 §3.1).
      if ["\u{2E}", "\u{3002}", "\u{FF0E}", "\u{FF61}"].contains(scalar) {
        labels.append([])
      } else {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        labels[labels.count - 1].append(lower.count == 1 ? lower.first ?? scalar : scalar)
      }
    }
    var result: [UInt8] = []
    for (index, label) in labels.enumerated() {
      if index > 0 { result.append(UInt8(ascii: ".")) }
      if label.allSatisfy(\.isASCII) {
        result += label.map { UInt8(truncatingIfNeeded: $0.value) }
      } else {
        guard let encoded = encode(label.map(\.value)) else { return nil }
        result += Array("xn--".utf8) + encoded
      }
    }
    return result
  }

  private static let (base, tMin, tMax, skew, damp): (UInt32, UInt32, UInt32, UInt32, UInt32) =
    (36, 1, 26, 38, 700)

  /// Section 6.3 of RFC 3492; nil for a label of more than 63 characters, which no name has.
  private static func encode(_ label: [UInt32]) -> [UInt8]? {
    guard label.count <= 63 else { return nil }
    var result = label.filter { $0 < 0x80 }.map { UInt8($0) }
    let basicCount = UInt32(result.count)
    if basicCount > 0 { result.append(UInt8(ascii: "-")) }
    var (code, delta, bias, done): (UInt32, UInt32, UInt32, UInt32) = (128, 0, 72, basicCount)
    while done < UInt32(label.count) {
      guard let next = label.filter({ $0 >= code }).min() else { return nil }
      // 63 characters of 21 bits: nothing here comes near 32 bits.
      delta += (next - code) * (done + 1)
      code = next
      for point in label {
        if point < code { delta += 1 }
        guard point == code else { continue }
        var rest = delta
        var position = base
        while true {
          let threshold = position <= bias ? tMin : min(tMax, position - bias)
          if rest < threshold { break }
          result.append(digit(threshold + (rest - threshold) % (base - threshold)))
          rest = (rest - threshold) / (base - threshold)
          position += base
        }
        result.append(digit(rest))
        bias = adapted(delta, count: done + 1, isFirst: done == basicCount)
        delta = 0
        done += 1
      }
      delta += 1
      code += 1
    }
    return result
  }

  private static func digit(_ value: UInt32) -> UInt8 {
    UInt8(value < 26 ? 97 + value : 22 + value)
  }

  private static func adapted(_ delta: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
    var delta = isFirst ? delta / damp : delta / 2
    delta += delta / count
    var turns: UInt32 = 0
    while delta > (base - tMin) * tMax / 2 {
      delta /= base - tMin
      turns += base
    }
    return turns + (base - tMin + 1) * delta / (delta + skew)
  }
}
