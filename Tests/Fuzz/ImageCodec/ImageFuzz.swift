import FuzzSupport
import ImageCodec

/// Any bytes end in a picture of the size that the header says, or in an `ImageError`.
@main struct ImageFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    do {
      let header = try ImageDecoder.header(of: bytes)
      let image = try ImageDecoder.decode(bytes, maxPixels: 1 << 16)
      guard image.width == header.width, image.height == header.height,
        image.pixels.count == 3 * image.width * image.height
      else { fatalError("\(header) became \(image.width)x\(image.height)") }
    } catch {
      _ = error.description
    }
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
