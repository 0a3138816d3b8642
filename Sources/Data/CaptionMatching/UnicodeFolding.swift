internal import Foundation

/// How captions beyond ASCII are normalised: what ``NormalizedCaption`` promises, scalar by scalar.
package enum UnicodeFolding {
  /// The most marks on one letter that count, as in the Stream-Safe Text Format (UAX #15, section 13):
  /// putting marks in order costs the square of their number.
  private static let marksPerLetter = 30
  /// Scalars that are normalised at once: longer texts are cut at a space from here on, and at any
  /// letter from four times as many on, so that the cost stays in proportion.
  private static let pieceLength = 1024

  package static func utf8(of caption: String) -> [UInt8] {
    var folded = String.UnicodeScalarView()
    var piece = String.UnicodeScalarView()
    var length = 0
    var marks = 0
    for scalar in caption.unicodeScalars {
      guard let scalar = visible(scalar) else { continue }
      let isMark =
        scalar.value >= 0x300 && scalar.properties.canonicalCombiningClass != .notReordered
      marks = isMark ? marks + 1 : 0
      guard marks <= marksPerLetter else { continue }
      if length >= pieceLength, !isMark, scalar == " " || length >= 4 * pieceLength {
        append(piece, to: &folded)
        piece = String.UnicodeScalarView()
        length = 0
      }
      piece.append(scalar)
      length += 1
    }
    append(piece, to: &folded)
    return trimmed(folded)
  }

  /// A space for what separates; nil for what nobody sees.
  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    if scalar.isASCII { return scalar.value <= 0x20 || scalar.value == 0x7F ? " " : scalar }
    let properties = scalar.properties
    if properties.isWhitespace || properties.generalCategory == .control { return " " }
    return properties.isDefaultIgnorableCodePoint ? nil : scalar
  }

  /// Adds a piece in NFKC and without case; a run of spaces becomes one.
  private static func append(
    _ piece: String.UnicodeScalarView, to folded: inout String.UnicodeScalarView
  ) {
    // Compatible forms first, for some of them have case; then again, for some letters without case
    // are several scalars that are written as one.
    let composed = String(piece).precomposedStringWithCompatibilityMapping
    var caseless = String.UnicodeScalarView()
    for scalar in composed.unicodeScalars { fold(scalar, into: &caseless) }
    for scalar in String(caseless).precomposedStringWithCompatibilityMapping.unicodeScalars {
      if scalar == " ", folded.last == " " { continue }
      folded.append(scalar)
    }
  }

  private static func fold(_ scalar: Unicode.Scalar, into text: inout String.UnicodeScalarView) {
    if scalar.isASCII {
      let isUpper = scalar >= "A" && scalar <= "Z"
      text.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
      return
    }
    guard scalar.properties.changesWhenCaseMapped else { return text.append(scalar) }
    // Lower case first, for ẞ has no other way to ss.
    for lower in scalar.properties.lowercaseMapping.unicodeScalars {
      for upper in lower.properties.uppercaseMapping.unicodeScalars {
        text.append(contentsOf: upper.properties.lowercaseMapping.unicodeScalars)
      }
    }
  }

  /// Without spaces and punctuation at the ends, unless that is all there is.
  private static func trimmed(_ scalars: String.UnicodeScalarView) -> [UInt8] {
    guard let first = scalars.firstIndex(where: { !isTrimmed($0) }),
      let last = scalars.lastIndex(where: { !isTrimmed($0) })
    else { return Array(String(scalars).trimmingCharacters(in: [" "]).utf8) }
    return Array(String(scalars[first...last]).utf8)
  }

  private static func isTrimmed(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return NormalizedCaption.isTrimmed(ascii: UInt8(scalar.value)) }
    return switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }
}
