import CrawlPolicy

/// The ASCII form of international host names (RFC 3492, RFC 5891).
///
/// Letters are put in lower case one by one; what Unicode would also compose or map (UTS 46) is left
/// as it stands, so two rare spellings may count as two names, but never two names as one.
enum InternationalHost {
  /// `host` with every label that is not ASCII as `xn--…`; nil where that cannot be.
  static func ascii(_ host: ArraySlice<UInt8>) -> [UInt8]? {
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
        guard let encoded = Punycode.encode(label) else { return nil }
        result += "xn--".utf8
        result += encoded.utf8
      }
    }
    return result
  }
}
