import ImageCodec
import Testing

@Suite struct ImageFormatTests {
  static let samples: [(ImageFormat?, [UInt8])] = [
    (.jpeg, [0xFF, 0xD8, 0xFF]), (.png, [0x89] + Array("PNG\r\n\u{1A}\n".utf8)),
    (.webp, Array("RIFF".utf8) + [1, 0, 0, 0] + Array("WEBPVP8 ".utf8)),
    (nil, Array("RIFF".utf8) + [1, 0, 0, 0] + Array("WAVEfmt ".utf8)),
    (.gif, Array("GIF87a".utf8)), (.gif, Array("GIF89a".utf8)),
    (.avif, isoMedia("avif", "mif1")), (.avif, isoMedia("mif1", "miaf", "avif")),
    (.heic, isoMedia("heic", "mif1")), (.heic, isoMedia("mif1", "heic")),
    (.mp4, isoMedia("isom", "avc1")), (.mp4, isoMedia("qt  ")), (.jxl, [0xFF, 0x0A, 0x10]),
    (.jxl, [0, 0, 0, 12] + Array("JXL \r\n".utf8) + [0x87, 10]),
    (.jp2, [0, 0, 0, 12] + Array("jP  ".utf8)),
    (.bmp, Array("BM".utf8) + [54, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]),
    (nil, Array("BMW cars are not bitmaps".utf8)), (.ico, [0, 0, 1, 0, 1, 0]),
    (.tiff, [0x49, 0x49, 0x2A, 0]), (.tiff, [0x4D, 0x4D, 0, 0x2A]), (.psd, Array("8BPS".utf8)),
    (.pdf, Array("%PDF-1.7".utf8)), (.svg, Array("<svg xmlns='x'/>".utf8)),
    (.svg, Array("\u{FEFF}<?xml version='1.0'?>\n<!DOCTYPE svg [ ]>\n<svg/>".utf8)),
    (.xml, Array("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>".utf8)),
    (.xml, Array("<rss version='2.0'>".utf8)), (.html, Array("\n\t <!DOCTYPE HTML>".utf8)),
    (.html, Array("<!-- cached --><HTML lang=de>".utf8)), (.html, Array("<Head>".utf8)),
    (.json, Array(" {\"error\": 1}".utf8)), (.json, Array("[]".utf8)),
    (nil, Array("{not json}".utf8)), (nil, Array("< 5".utf8)), (nil, Array("  ".utf8)), (nil, []),
  ]

  static func isoMedia(_ brands: String...) -> [UInt8] {
    let box =
      Array("ftyp".utf8) + Array(brands[0].utf8) + [0, 0, 0, 0]
      + brands.dropFirst().flatMap { Array($0.utf8) }
    return [0, 0, 0, UInt8(box.count + 4)] + box
  }

  @Test("content is recognised whatever its name", arguments: samples.indices)
  func recognises(index: Int) {
    let (format, bytes) = Self.samples[index]
    #expect(ImageFormat.recognise(bytes) == format)
    // More bytes change nothing.
    if format != nil {
      #expect(ImageFormat.recognise(bytes + [UInt8](repeating: 0x20, count: 3000)) == format)
    }
  }

  @Test("exactly four formats are decoded")
  func decodable() {
    #expect(ImageFormat.allCases.filter(\.isDecodable) == [.jpeg, .png, .webp, .gif])
  }
}
