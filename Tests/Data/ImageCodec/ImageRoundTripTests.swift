import ImageCodec
import Testing

@Suite struct ImageRoundTripTests {
  @Test("PNG and lossless WebP give back the very pixels")
  func lossless() throws {
    let image = TestPictures.gradient(width: 37, height: 23)
    #expect(try ImageDecoder.decode(ImageEncoder.png(image)) == image)
    #expect(try ImageDecoder.decode(ImageEncoder.webpLossless(image)) == image)
  }
}
