/// Character references of HTML, resolved as two Python functions do it.
///
/// CLIP's reference tokenizer calls both: ftfy's `unescape_html`, careful, and the standard library's
/// `html.unescape`, which follows the HTML standard and also takes `&amp` without its semicolon.
enum HTMLEntities {
  private struct Table {
    /// Every name with the scalars that it stands for.
    var named: [String: [Unicode.Scalar]] = [:]
    /// The names that count without a semicolon too.
    var bare: Set<String> = []
  }

  private static let table: Table = {
    var table = Table()
    for line in BundledText.htmlEntities().split(separator: "\n") {
      let fields = line.split(separator: " ")
      let isBare = fields[0].hasPrefix("*")
      let name = String(isBare ? fields[0].dropFirst() : fields[0])
      table.named[name] = fields.dropFirst().compactMap {
        UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
      }
      if isBare { table.bare.insert(name) }
    }
    return table
  }()

  /// ftfy 6.3 `fixes.unescape_html`: only references that end in a semicolon.
  static func unescapeCarefully(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("&") else { return text }
    var result: [Unicode.Scalar] = []
    var index = 0
    while index < text.count {
      guard text[index] == "&", let end = endOfCarefulReference(text, from: index) else {
        result.append(text[index])
        index += 1
        continue
      }
      let reference = text[index..<end]
      if reference.dropFirst().first == "#" {
        let unescaped = unescape(Array(reference))
        // Half a reference is not what was meant.
        result += unescaped.contains(";") ? Array(reference) : unescaped
      } else {
        let name = string(reference.dropFirst().dropLast())
        result += table.named[name] ?? TextTables.shared.capitals[name] ?? Array(reference)
      }
      index = end
    }
    return result
  }

  /// The index past the semicolon of `&#?[0-9A-Za-z]{1,24};`.
  private static func endOfCarefulReference(_ text: [Unicode.Scalar], from start: Int) -> Int? {
    var index = start + 1
    if index < text.count, text[index] == "#" { index += 1 }
    let first = index
    while index < text.count, index - first < 24, isASCIIAlphanumeric(text[index]) { index += 1 }
    guard index > first, index < text.count, text[index] == ";" else { return nil }
    return index + 1
  }

  /// Python 3.11 `html.unescape`.
  static func unescape(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("&") else { return text }
    var result: [Unicode.Scalar] = []
    var index = 0
    while index < text.count {
      guard text[index] == "&" else {
        result.append(text[index])
        index += 1
        continue
      }
      if let (scalars, end) = numeric(text, from: index) ?? named(text, from: index) {
        result += scalars
        index = end
      } else {
        result.append("&")
        index += 1
      }
    }
    return result
  }

  private static func numeric(_ text: [Unicode.Scalar], from start: Int) -> (
    [Unicode.Scalar], Int
  )? {
    var index = start + 1
    guard index + 1 < text.count, text[index] == "#" else { return nil }
    index += 1
    let isHexadecimal = text[index] == "x" || text[index] == "X"
    if isHexadecimal { index += 1 }
    let first = index
    var number: UInt32 = 0
    while index < text.count, let digit = digit(text[index], hexadecimal: isHexadecimal) {
      number = min(0x11_0000, number * (isHexadecimal ? 16 : 10) + digit)
      index += 1
    }
    guard index > first else { return nil }
    if index < text.count, text[index] == ";" { index += 1 }
    return (meaning(of: number), index)
  }

  /// What a numeric reference stands for; the standard repairs some numbers and drops others.
  private static func meaning(of number: UInt32) -> [Unicode.Scalar] {
    if number == 0 { return ["\u{FFFD}"] }
    if number == 0x0D { return ["\r"] }
    guard let scalar = Unicode.Scalar(number) else { return ["\u{FFFD}"] }
    if (0x80...0x9F).contains(number) { return [Windows1252.scalar(forControl: scalar)] }
    let isDropped =
      (0x01...0x08).contains(number) || (0x0E...0x1F).contains(number) || number == 0x7F
      || number == 0x0B || (0xFDD0...0xFDEF).contains(number) || number & 0xFFFE == 0xFFFE
    return isDropped ? [] : [scalar]
  }

  private static func named(_ text: [Unicode.Scalar], from start: Int) -> (
    [Unicode.Scalar], Int
  )? {
    var end = start + 1
    while end < text.count, end - start <= 32, !"\t\n\u{0C} <&#;".unicodeScalars.contains(text[end])
    {
      end += 1
    }
    let name = text[(start + 1)..<end]
    guard !name.isEmpty else { return nil }
    // Names are ASCII; without this Swift would find K (kelvin) equal to K.
    let ascii = name.prefix { $0.isASCII }
    if end < text.count, text[end] == ";", ascii.count == name.count,
      let scalars = table.named[string(name)]
    {
      return (scalars, end + 1)
    }
    for length in stride(from: ascii.count, through: 2, by: -1) {
      let prefix = string(ascii.prefix(length))
      if table.bare.contains(prefix), let scalars = table.named[prefix] {
        return (scalars, start + 1 + length)
      }
    }
    return nil
  }

  private static func digit(_ scalar: Unicode.Scalar, hexadecimal: Bool) -> UInt32? {
    switch scalar {
    case "0"..."9": scalar.value - 0x30
    case "a"..."f" where hexadecimal: scalar.value - 0x61 + 10
    case "A"..."F" where hexadecimal: scalar.value - 0x41 + 10
    default: nil
    }
  }

  private static func isASCIIAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "0"..."9", "a"..."z", "A"..."Z": true
    default: false
    }
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }
}
