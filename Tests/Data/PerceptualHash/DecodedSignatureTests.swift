import Foundation
import ImageCodec
import PerceptualHash
import Testing

/// Signatures of pictures that are not stored as they are shown.
@Suite struct DecodedSignatureTests {
  @Test(
    "a picture stored turned or mirrored is the upright one",
    arguments: [2, 3, 4, 5, 6, 7, 8] as [UInt8])
  func orientation(_ orientation: UInt8) throws {
    let upright = PictureSignatureTests.drawing(320, 240)
    let stored = Self.stored(upright, orientation)
    let plain = try ImageEncoder.jpeg(stored, quality: 90)
    let turned = Array(plain[..<2]) + Self.exif(orientation) + Array(plain[2...])
    let decoded = try ImageDecoder.decode(turned, settings: DecodeSettings()).image
    #expect(decoded.width == 320 && decoded.height == 240)
    let expected = PictureSignature(of: upright)
    #expect(expected.isSamePicture(as: PictureSignature(of: decoded), radius: 2))
    let other = PictureSignature(of: try ImageDecoder.decode(plain))
    #expect(!expected.isSamePicture(as: other, radius: 64), "without the orientation")
  }

  @Test("what is transparent counts as white, whatever colour is stored there")
  func transparency() throws {
    func cut(_ ground: (UInt8, UInt8, UInt8)) -> RGBImage {
      PictureSignatureTests.picture(200, 150) { x, y in
        if (x - 0.4) * (x - 0.4) + (y - 0.5) * (y - 0.5) > 0.1 { return ground }
        return (UInt8(100 + 60 * x), 60, UInt8(80 * y))
      }
    }
    let opaque = try ImageEncoder.png(cut((12, 34, 56)))
    // After the signature and IHDR, 8 and 25 bytes: PNG §11.3.2.1.
    let transparent =
      Array(opaque[..<33]) + Self.chunk("tRNS", [0, 12, 0, 34, 0, 56]) + Array(opaque[33...])
    let signature = PictureSignature(of: try ImageDecoder.decode(transparent))
    #expect(signature == PictureSignature(of: cut((255, 255, 255))))
    let other = PictureSignature(of: try ImageDecoder.decode(opaque))
    #expect(!signature.isSamePicture(as: other, radius: 64))
  }

  @Test(
    "a JPEG decoded at an eighth, a quarter and a half is the picture that it is in full",
    arguments: [8, 4, 2])
  func scaledDecoding(part: Int) throws {
    let file = try ImageEncoder.jpeg(PictureSignatureTests.drawing(2400, 1800), quality: 85)
    let whole = try ImageDecoder.decode(file, settings: DecodeSettings())
    let scaled = try ImageDecoder.decode(
      file, settings: DecodeSettings(), atLeast: (1200 / part, 900 / part))
    #expect(scaled.image.width == 2400 / part)
    let signature = PictureSignature(of: whole.image, original: (whole.width, whole.height))
    let copy = PictureSignature(of: scaled.image, original: (scaled.width, scaled.height))
    #expect(
      signature.isSamePicture(as: copy, radius: 4),
      "\(signature.distance(to: copy)), \(signature.difference(from: copy))")
  }

  /// What is stored where `upright` is shown: EXIF's orientations by how each comes from the stored rows.
  private static func stored(_ upright: RGBImage, _ orientation: UInt8) -> RGBImage {
    let (width, height) = (upright.width, upright.height)
    let isTransposed = orientation >= 5
    let (columns, rows) = isTransposed ? (height, width) : (width, height)
    var pixels: [UInt8] = []
    for row in 0..<rows {
      for column in 0..<columns {
        // Where the stored first row and first column are shown: right, bottom.
        var (x, y) = isTransposed ? (row, column) : (column, row)
        if [2, 3, 6, 7].contains(orientation) { x = width - 1 - x }
        if [3, 4, 7, 8].contains(orientation) { y = height - 1 - y }
        let at = (y * width + x) * 3
        pixels += upright.pixels[at..<at + 3]
      }
    }
    return RGBImage(width: columns, height: rows, pixels: pixels)
  }

  /// A JPEG's APP1 with one tag: the orientation, 0x0112.
  private static func exif(_ orientation: UInt8) -> [UInt8] {
    let content =
      Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1]
      + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0] + [0, 0, 0, 0]
    return [0xFF, 0xE1, 0, UInt8(content.count + 2)] + content
  }

  /// A PNG's chunk: length, name, data, CRC-32 of name and data.
  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    let named = Array(name.utf8) + data
    var check = UInt32.max
    for byte in named {
      check ^= UInt32(byte)
      for _ in 0..<8 { check = check >> 1 ^ (check & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return word(UInt32(data.count)) + named + word(~check)
  }
}
