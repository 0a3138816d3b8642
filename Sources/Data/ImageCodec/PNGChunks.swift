/// What a PNG's chunks say beside the pixels.
///
/// PNG (third edition) §5.3: length, type, data, CRC. The CRC is libpng's to check.
struct PNGChunks {
  /// 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA (§11.2.1).
  var colourType: UInt8
  /// Bits of a channel, or of an index (§11.2.1).
  var depth: UInt8
  /// The entries of PLTE.
  var palette: Range<Int>?
  var hasTransparency = false
  var hasProfile = false
  var exif: Range<Int>?
  /// From acTL (§11.3.6.1), else 1.
  var frames = 1

  /// Reads up to the first IDAT; eXIf may also stand after the pixels.
  ///
  /// - Parameter bytes: A file whose IHDR has been checked.
  init(_ bytes: [UInt8]) {
    (depth, colourType) = (bytes[24], bytes[25])
    var offset = 33
    while offset + 12 <= bytes.count {
      let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      let data = offset + 8
      guard length <= bytes.count - data - 4 else { break }
      switch bytes[offset + 4..<data] {
      case let type where type.elementsEqual("tRNS".utf8): hasTransparency = true
      case let type where type.elementsEqual("PLTE".utf8): palette = data..<data + length
      case let type where type.elementsEqual("iCCP".utf8): hasProfile = true
      case let type where type.elementsEqual("eXIf".utf8): exif = exif ?? data..<data + length
      case let type where type.elementsEqual("acTL".utf8) && length == 8:
        frames = max(1, bytes[data..<data + 4].reduce(0) { $0 << 8 | Int($1) })
      default: break
      }
      offset = data + length + 4
    }
  }

  var hasAlpha: Bool { hasTransparency || colourType & 4 != 0 }
  var model: StoredPicture.Model { colourType & 2 != 0 ? .rgb : .grey }
}
