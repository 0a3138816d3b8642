/// The 32 bytes where Windows-1252 differs from Latin-1.
enum Windows1252 {
  private static let characters = Array(
    ("\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}"
      + "\u{2C6}\u{2030}\u{160}\u{2039}\u{152}\u{8D}\u{17D}\u{8F}"
      + "\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}"
      + "\u{2DC}\u{2122}\u{161}\u{203A}\u{153}\u{9D}\u{17E}\u{178}").unicodeScalars)

  /// What the byte of this C1 control (U+0080 to U+009F) means in Windows-1252.
  ///
  /// The five bytes that mean nothing there stay what they are, as in ftfy and in HTML.
  static func scalar(forControl control: Unicode.Scalar) -> Unicode.Scalar {
    characters[Int(control.value) - 0x80]
  }
}
