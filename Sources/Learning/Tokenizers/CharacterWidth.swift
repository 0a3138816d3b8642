/// The standard forms of the full-width and half-width characters, U+FF01 to U+FFEE.
///
/// What NFKC gives for each alone (Unicode 14), as in ftfy's `WIDTH_MAP`.
enum CharacterWidth {
  /// What stands for `scalar` in text that is not set in a grid; mostly one scalar.
  static func standard(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    // The ASCII characters lie in their own order.
    if (0xFF01...0xFF5E).contains(scalar.value) {
      return [Unicode.Scalar(UInt8(scalar.value - 0xFEE0))]
    }
    return table[scalar.value] ?? [scalar]
  }

  private static let table: [UInt32: [Unicode.Scalar]] = {
    var table: [UInt32: [Unicode.Scalar]] = [0xFFE3: [" ", "\u{304}"]]
    for (first, forms) in runs {
      for (index, form) in forms.unicodeScalars.enumerated() {
        // The macron takes two scalars; it stands alone above.
        if first + UInt32(index) != 0xFFE3 { table[first + UInt32(index)] = [form] }
      }
    }
    return table
  }()

  /// The forms of each run of characters, by the first of them.
  private static let runs: KeyValuePairs<UInt32, String> = [
    0xFF5F: "\u{2985}\u{2986}\u{3002}\u{300C}\u{300D}\u{3001}\u{30FB}\u{30F2}\u{30A1}\u{30A3}"
      + "\u{30A5}\u{30A7}\u{30A9}\u{30E3}\u{30E5}\u{30E7}\u{30C3}\u{30FC}\u{30A2}\u{30A4}"
      + "\u{30A6}\u{30A8}\u{30AA}\u{30AB}\u{30AD}\u{30AF}\u{30B1}\u{30B3}\u{30B5}\u{30B7}"
      + "\u{30B9}\u{30BB}\u{30BD}\u{30BF}\u{30C1}\u{30C4}\u{30C6}\u{30C8}\u{30CA}\u{30CB}"
      + "\u{30CC}\u{30CD}\u{30CE}\u{30CF}\u{30D2}\u{30D5}\u{30D8}\u{30DB}\u{30DE}\u{30DF}"
      + "\u{30E0}\u{30E1}\u{30E2}\u{30E4}\u{30E6}\u{30E8}\u{30E9}\u{30EA}\u{30EB}\u{30EC}"
      + "\u{30ED}\u{30EF}\u{30F3}\u{3099}\u{309A}\u{1160}\u{1100}\u{1101}\u{11AA}\u{1102}"
      + "\u{11AC}\u{11AD}\u{1103}\u{1104}\u{1105}\u{11B0}\u{11B1}\u{11B2}\u{11B3}\u{11B4}"
      + "\u{11B5}\u{111A}\u{1106}\u{1107}\u{1108}\u{1121}\u{1109}\u{110A}\u{110B}\u{110C}"
      + "\u{110D}\u{110E}\u{110F}\u{1110}\u{1111}\u{1112}",
    0xFFC2: "\u{1161}\u{1162}\u{1163}\u{1164}\u{1165}\u{1166}",
    0xFFCA: "\u{1167}\u{1168}\u{1169}\u{116A}\u{116B}\u{116C}",
    0xFFD2: "\u{116D}\u{116E}\u{116F}\u{1170}\u{1171}\u{1172}",
    0xFFDA: "\u{1173}\u{1174}\u{1175}",
    0xFFE0: "\u{A2}\u{A3}\u{AC}\u{AF}\u{A6}\u{A5}\u{20A9}",
    0xFFE8: "\u{2502}\u{2190}\u{2191}\u{2192}\u{2193}\u{25A0}\u{25CB}",
  ]
}
