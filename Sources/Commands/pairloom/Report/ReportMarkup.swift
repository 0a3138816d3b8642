import Foundation
import ImageCodec

/// The small change of HTML.
package enum Markup {
  /// Text that may stand in an element or in a quoted attribute.
  ///
  /// Characters that HTML and XML forbid become the replacement character.
  package static func escape(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\t", "\n", "\r": out.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Escaped text that may break after its underscores.
  static func breakable(_ text: String) -> String {
    escape(text).split(separator: "_", omittingEmptySubsequences: false).joined(separator: "_<wbr>")
  }

  static func wrapped(_ content: String, class name: String) -> String {
    content.isEmpty ? "" : "<div class=\"\(name)\">\(content)</div>"
  }

  /// The picture inside a URL; nil when its bytes are of no format that browsers show.
  static func dataURL(_ image: [UInt8]) -> String? {
    guard let format = ImageFormat.recognise(image),
      [.jpeg, .png, .webp, .gif].contains(format)
    else { return nil }
    return "data:image/\(format.rawValue);base64,\(Data(image).base64EncodedString())"
  }

  static func decimal(_ value: Double, _ digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", value) : "–"
  }

  /// An integer with thin spaces between thousands.
  static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var out = value < 0 ? "−" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { out += "\u{202F}" }
      out.append(digit)
    }
    return out
  }
}
