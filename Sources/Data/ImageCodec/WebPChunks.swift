/// What an extended WebP's chunks hold beside the pixels (RFC 9649 §2.7).
struct WebPChunks {
  var profile: Range<Int>?
  var exif: Range<Int>?
  /// ANMF chunks; 1 for a still picture.
  var frames = 1

  init(_ bytes: [UInt8]) {
    guard bytes.count >= 20, bytes[12..<16].elementsEqual("VP8X".utf8) else { return }
    var animated = 0
    var offset = 12
    while offset + 8 <= bytes.count {
      let size = bytes[offset + 4..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let start = offset + 8
      guard size <= bytes.count - start else { break }
      let type = bytes[offset..<offset + 4]
      if type.elementsEqual("ICCP".utf8) { profile = profile ?? start..<start + size }
      if type.elementsEqual("EXIF".utf8) {
        // Some writers put JPEG's name in front.
        let name = bytes.has(Array("Exif\0\0".utf8), in: start..<start + size) ? 6 : 0
        exif = exif ?? start + name..<start + size
      }
      if type.elementsEqual("ANMF".utf8) { animated += 1 }
      offset = start + size + size % 2
    }
    frames = max(1, animated)
  }
}
