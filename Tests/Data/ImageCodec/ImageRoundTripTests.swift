import ImageCodec
import Testing

@Suite struct ImageRoundTripTests {
  let image = TestPictures.gradient(width: 37, height: 23)

  @Test("PNG and lossless WebP give back the very pixels")
  func lossless() throws {
    #expect(try ImageDecoder.decode(ImageEncoder.png(image)) == image)
    #expect(try ImageDecoder.decode(ImageEncoder.webpLossless(image)) == image)
  }

  @Test("lossy encoders keep the size, and come nearer with more quality")
  func lossy() throws {
    for isJPEG in [true, false] {
      let errors = try [10, 60, 98].map { quality in
        let bytes =
          isJPEG
          ? try ImageEncoder.jpeg(image, quality: quality)
          : try ImageEncoder.webp(image, quality: quality)
        let decoded = try ImageDecoder.decode(bytes)
        #expect(decoded.width == 37 && decoded.height == 23)
        return zip(decoded.pixels, image.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
      }
      #expect(errors[0] > errors[1] && errors[1] > errors[2], "\(errors)")
    }
  }

  @Test("JPEG is baseline with 4:2:0 chroma, without optimised tables, the same each time")
  func jpegKind() throws {
    let bytes = try ImageEncoder.jpeg(image, quality: 95)
    #expect(try bytes == ImageEncoder.jpeg(image, quality: 95))
    // SOF0: three components, luma sampled 2 × 2, chroma 1 × 1.
    let frame = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xC0]) })
    #expect(bytes[frame + 9] == 3)
    #expect([bytes[frame + 11], bytes[frame + 14], bytes[frame + 17]] == [0x22, 0x11, 0x11])
    // DHT: the standard luma DC table (T.81 table K.3).
    let table = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xC4]) })
    #expect(
      bytes[(table + 5)..<(table + 21)].elementsEqual([
        0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
      ]))
  }

  @Test("sizes beyond a format are refused in words")
  func tooLarge() {
    let wide = RGBImage(width: 70_000, height: 1, pixels: [UInt8](repeating: 9, count: 210_000))
    #expect(
      throws: ImageError.cannotEncode("70000x1 pixels; JPEG ends at 65,500 a side")
    ) { try ImageEncoder.jpeg(wide, quality: 90) }
    #expect(
      throws: ImageError.cannotEncode("70000x1 pixels; WebP ends at 16,383 a side")
    ) { try ImageEncoder.webp(wide, quality: 90) }
  }
}
