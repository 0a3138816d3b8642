import ImageCodec
import Testing

@Suite struct GreyResamplingTests {
  @Test(
    "brightness resized is the brightness as a grey picture resized, whatever the sizes",
    arguments: [
      (1, 1, 32, 32), (7, 5, 32, 32), (37, 300, 32, 32), (300, 37, 32, 32), (331, 217, 32, 9),
      (32, 90, 32, 32), (90, 32, 32, 32), (40, 40, 64, 64),
    ])
  func agreesWithColours(width: Int, height: Int, toWidth: Int, toHeight: Int) {
    let image = TestPictures.gradient(width: width, height: height)
    var grey = image
    for pixel in 0..<width * height {
      let (red, green) = (Int(image.pixels[pixel * 3]), Int(image.pixels[pixel * 3 + 1]))
      let blue = Int(image.pixels[pixel * 3 + 2])
      let level = UInt8((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16)
      for channel in 0..<3 { grey.pixels[pixel * 3 + channel] = level }
    }
    for filter in [ResampleFilter.box, .bicubic, .lanczos] {
      let made = image.greyResized(width: toWidth, height: toHeight, filter: filter)
      let colours = grey.resized(width: toWidth, height: toHeight, filter: filter)
      #expect(made == (0..<toWidth * toHeight).map { colours.pixels[$0 * 3] }, "\(filter)")
    }
  }
}
