/// One EXIF value as exifread prints it.
enum EXIFText {
  /// The words of `field`, without white space at either end.
  ///
  /// `isImage` tells whether the directory is one whose numbers have meanings in words.
  static func of(
    _ field: TIFFDirectory.Field, in directory: TIFFDirectory, _ maxValues: Int,
    _ maxTextBytes: Int, isImage: Bool
  ) -> String {
    let meanings = isImage ? EXIFMeanings.tables[field.tag] : nil
    if field.type == 2 {
      let bytes = directory.text(of: field, limit: maxTextBytes)
      if isImage, EXIFTags.textual.contains(field.tag) { return printable(Array(bytes)) }
      let text = String(decoding: bytes, as: UTF8.self)
      return trimmed(meanings == nil ? text : text.map { "'\($0)'" }.joined())
    }
    // exifread gives up on long fields.
    let numbers =
      field.count < maxValues ? directory.numbers(of: field, limit: maxValues) : []
    if isImage, EXIFTags.textual.contains(field.tag) {
      let bytes = numbers.map { number in
        if case .integer(let value) = number, (0...255).contains(value) {
          UInt8(value)
        } else {
          0 as UInt8
        }
      }
      return printable(bytes)
    }
    if let meanings {
      return numbers.map { number in
        if case .integer(let value) = number, let meaning = meanings[value] { return meaning }
        return word(number, inTuple: true)
      }.joined()
    }
    if field.count == 1 { return numbers.first.map { word($0, inTuple: true) } ?? "[]" }
    let shown = field.count > 50 && numbers.count > 20 ? numbers.prefix(20) : numbers[...]
    let list = shown.map { word($0, inTuple: true) }.joined(separator: ", ")
    return shown.count < numbers.count ? "[\(list), ... ]" : "[\(list)]"
  }

  private static func word(_ number: TIFFDirectory.Number, inTuple: Bool) -> String {
    switch number {
    case .integer(let value): return "\(value)"
    case .real(let value): return inTuple ? "(\(value),)" : "\(value)"
    case .ratio(let top, let bottom):
      // A fraction in lowest terms, as Python's; one over nothing stays as it is.
      guard bottom != 0 else { return "\(top)/0" }
      let divisor = max(1, greatestCommonDivisor(abs(top), abs(bottom))) * (bottom < 0 ? -1 : 1)
      return bottom / divisor == 1 ? "\(top / divisor)" : "\(top / divisor)/\(bottom / divisor)"
    }
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
  }

  /// The printing characters, each byte one of ISO 8859-1; without any, the numbers in a row.
  private static func printable(_ bytes: [UInt8]) -> String {
    let text = String(bytes.filter { $0 >= 32 }.map { Character(UnicodeScalar($0)) })
    if !text.isEmpty { return trimmed(text) }
    return bytes.allSatisfy { $0 == 0 } ? "" : bytes.map { "\($0)" }.joined()
  }

  /// Without white space at either end, as Python's `strip`.
  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isSpace($0) }),
      let last = scalars.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(scalars[first...last])
  }

  private static func isSpace(_ scalar: UnicodeScalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }
}
