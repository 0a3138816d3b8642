/// What bytes are, told by their content; names and declared types lie.
public enum ImageFormat: String, Sendable, CaseIterable {
  case jpeg, png, webp, gif
  case avif, heic, jxl, jp2, svg, bmp, ico, tiff, psd, pdf, html, xml, mp4, json

  /// Whether ``ImageDecoder`` decodes it.
  public var isDecodable: Bool {
    switch self {
    case .jpeg, .png, .webp, .gif: true
    default: false
    }
  }

  /// The format that `bytes` begin like, if any.
  ///
  /// A signature is no promise that the rest is whole. Text is looked at up to 1 KiB.
  public static func recognise(_ bytes: [UInt8]) -> ImageFormat? {
    let start = bytes.prefix(1024)
    func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      start.dropFirst(offset).starts(with: signature)
    }
    func has(_ signature: String, at offset: Int = 0) -> Bool {
      has(Array(signature.utf8), at: offset)
    }
    if has([0xFF, 0xD8, 0xFF]) { return .jpeg }
    if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if has("RIFF"), has("WEBP", at: 8) { return .webp }
    if has("GIF87a") || has("GIF89a") { return .gif }
    if has("ftyp", at: 4) { return isoMedia(start) }
    if has([0xFF, 0x0A]) || has([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20, 0x0D, 0x0A, 0x87, 0x0A]) {
      return .jxl
    }
    if has([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]) || has([0xFF, 0x4F, 0xFF, 0x51]) {
      return .jp2
    }
    // BMP: the two letters are common, so the size of the second header is looked at too.
    if has("BM"), start.count > 17, start[15] == 0, start[16] == 0, start[17] == 0 { return .bmp }
    if has([0, 0, 1, 0]), start.count > 5, start[4] > 0, start[5] == 0 { return .ico }
    if has([0x49, 0x49, 0x2A, 0]) || has([0x4D, 0x4D, 0, 0x2A]) { return .tiff }
    if has("8BPS") { return .psd }
    if has("%PDF-") { return .pdf }
    return text(start)
  }

  /// The ISO base media family, by its brands (ISO/IEC 14496-12 §4.3): a HEIC file may name only
  /// the general brand first and its own among the compatible ones.
  private static func isoMedia(_ start: ArraySlice<UInt8>) -> ImageFormat {
    let declared = start.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let box = start.prefix(max(12, declared))
    let brands = stride(from: 8, to: box.count - 3, by: 4).map {
      String(decoding: box[$0..<$0 + 4], as: UTF8.self)
    }
    for brand in brands {
      switch brand {
      case "avif", "avis": return .avif
      case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1":
        // AVIF files carry the general brands too.
        return brands.contains("avif") || brands.contains("avis") ? .avif : .heic
      case "jxl ": return .jxl
      default: continue
      }
    }
    return .mp4
  }

  private static func text(_ start: ArraySlice<UInt8>) -> ImageFormat? {
    var words = start
    if words.starts(with: [0xEF, 0xBB, 0xBF]) { words = words.dropFirst(3) }
    let lower = words.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }.map {
      (0x41...0x5A).contains($0) ? $0 | 0x20 : $0
    }
    func contains(_ word: String) -> Bool { lower.firstRange(of: Array(word.utf8)) != nil }
    guard let first = lower.first else { return nil }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      let next = lower.dropFirst().first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
      let allowed = first == UInt8(ascii: "{") ? "\"}" : "\"{[]-0123456789tfn"
      return next.map { allowed.utf8.contains($0) } == true ? .json : nil
    }
    guard first == UInt8(ascii: "<") else { return nil }
    if lower.starts(with: Array("<svg".utf8)) { return .svg }
    let htmlStarts = [
      "<!doctype html", "<html", "<head", "<body", "<title", "<script", "<div", "<p",
    ]
    if htmlStarts.contains(where: { lower.starts(with: Array($0.utf8)) }) { return .html }
    // An XML declaration, comment or document type may stand before either root element.
    if contains("<svg") { return .svg }
    if contains("<html") { return .html }
    if lower.starts(with: Array("<?xml".utf8)) || lower.starts(with: Array("<!".utf8)) {
      return .xml
    }
    let second = lower.dropFirst().first ?? 0
    return (0x61...0x7A).contains(second) ? .xml : nil
  }
}
