/// The form of a caption by which equal captions are told.
///
/// Captions are equal where a reader sees no difference that matters:
///
/// - compatible forms are one (Unicode's NFKC: `ﬁ` is `fi`, `Ａ` is `A`, `é` in one or two scalars);
/// - letters have no case (lower case of upper case: `Straße` is `STRASSE`; `ı`, which upper case
///   cannot tell from `i`, is `i`);
/// - what cannot be seen is not there (Unicode's default ignorable code points: soft hyphens, joiners,
///   variation selectors, byte order marks);
/// - white space and control characters are one space, and none at the ends. COYO-700M collapses white
///   space before it looks for equal pairs;
/// - punctuation at the ends is not there: `A dog.` and `“a dog”` are `a dog`. `#`, `@`, `%` and `&`
///   stay, for they change what a word means. Inside, punctuation stays.
///
/// This is what toNFKC_Casefold of the Unicode standard does, with the last two added, which those
/// expect who filter captions: datatrove and text-dedup ignore case, white space and punctuation before
/// they compare. Digits and accents stay: they tell captions apart. A caption of nothing but punctuation
/// keeps it, so that `???` is not the empty caption.
public enum NormalizedCaption {
  /// Without what makes no difference to a reader.
  ///
  /// - Complexity: O(bytes); 1 MB takes up to two seconds in the worst case (ligatures of 18 letters),
  ///   plain text a hundredth of that.
  public static func text(of caption: String) -> String {
    String(decoding: utf8(of: caption), as: UTF8.self)
  }

  /// The key of the normalised text.
  public static func key(of caption: String) -> CaptionKey {
    CaptionKey(normalized: utf8(of: caption))
  }

  package static func utf8(of caption: String) -> [UInt8] {
    caption.utf8.allSatisfy { $0 < 0x80 }
      ? trimmed(ascii: collapsed(ascii: caption)) : UnicodeFolding.utf8(of: caption)
  }

  /// Whether a caption is the same without it at an end.
  static func isTrimmed(ascii byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "'"),
      UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: ","),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"),
      UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"),
      UInt8(ascii: "]"), UInt8(ascii: "_"), UInt8(ascii: "{"), UInt8(ascii: "}"):
      true
    default: false
    }
  }

  /// Lower case, with one space for each run of spaces and control characters.
  private static func collapsed(ascii caption: String) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(caption.utf8.count)
    var isSpaceDue = false
    for byte in caption.utf8 {
      if byte <= 0x20 || byte == 0x7F {
        isSpaceDue = true
        continue
      }
      if isSpaceDue, !text.isEmpty { text.append(0x20) }
      isSpaceDue = false
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      text.append(isUpper ? byte | 0x20 : byte)
    }
    return text
  }

  private static func trimmed(ascii text: [UInt8]) -> [UInt8] {
    guard let first = text.firstIndex(where: { !isTrimmed(ascii: $0) }),
      let last = text.lastIndex(where: { !isTrimmed(ascii: $0) })
    else { return text }
    return first == 0 && last == text.count - 1 ? text : Array(text[first...last])
  }
}
