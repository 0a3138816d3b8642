/// What a file says about its picture beside the pixels.
public enum ImageMetadata {
  /// The EXIF tags of a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk), in the order of the file.
  ///
  /// Names are exifread's, as "EXIF FNumber" and "GPS GPSLatitude"; so are values, as "14/5" and
  /// "Rotated 90 CW". XMP, makers' notes and the user's comment are left out, as img2dataset does.
  /// Bytes are shown as they are, where exifread-nocycle 3.0.1 shows zeros.
  ///
  /// - Returns: None for other formats, files without EXIF, and EXIF without a byte order. Bounded:
  ///   4,096 fields, 1 MiB in all.
  public static func exif(of bytes: [UInt8]) -> [(name: String, value: String)] {
    let range: Range<Int>? =
      switch ImageFormat.recognise(bytes) {
      case .jpeg: JPEGSegments.read(bytes).exif
      case .png where bytes.count >= 33: PNGChunks(bytes).exif
      case .webp: WebPChunks(bytes).exif
      default: nil
      }
    return range.map { EXIFReader.tags(in: bytes, at: $0) } ?? []
  }

  /// The tags as img2dataset's `exif` column has them: Python's `json.dumps` of names and values.
  ///
  /// - Returns: ASCII; "{}" where there are none.
  public static func exifJSON(of bytes: [UInt8]) -> String {
    let members = exif(of: bytes).map { "\(quoted($0.name)): \(quoted($0.value))" }
    return "{" + members.joined(separator: ", ") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: result += "\\\""
      case 0x5C: result += "\\\\"
      case 0x0A: result += "\\n"
      case 0x0D: result += "\\r"
      case 0x09: result += "\\t"
      case 0x08: result += "\\b"
      case 0x0C: result += "\\f"
      case 0x20...0x7E: result.unicodeScalars.append(UnicodeScalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result + "\""
  }
}
