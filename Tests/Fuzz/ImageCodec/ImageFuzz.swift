import FuzzSupport
import ImageCodec

/// Any bytes end in a picture of the size that the header says, or in an `ImageError`.
@main struct ImageFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    DecodeFuzz.run(bytes)
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { DecodeFuzz.run(withChecksums(bytes)) }
  }

  /// A PNG whose chunks have the checksums of what they hold, or no mutation comes past them.
  private static func withChecksums(_ png: [UInt8]) -> [UInt8] {
    var png = png
    var place = 8
    while place + 12 <= png.count {
      let length = png[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= png.count - place - 12 else { break }
      let end = place + 8 + length
      // CRC-32 bit by bit (PNG specification, annex D).
      var crc = UInt32.max
      for byte in png[place + 4..<end] {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
      }
      for index in 0..<4 { png[end + index] = UInt8(truncatingIfNeeded: ~crc >> (24 - 8 * index)) }
      place = end + 4
    }
    return png
  }

  private static func seeds() throws -> [[UInt8]] {
    let image = RGBImage(
      width: 19, height: 17,
      pixels: (0..<19 * 17 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) })
    return [
      try ImageEncoder.jpeg(image, quality: 80), try ImageEncoder.png(image),
      try ImageEncoder.webp(image, quality: 60), try ImageEncoder.webpLossless(image),
    ]
  }
}
