import ImageCodec
import Testing

@Suite struct ResizeModeTests {
  @Test("sizes and borders are img2dataset's, for every mode")
  func agreesWithImg2dataset() throws {
    let cases = try Fixtures.resizeModes()
    #expect(cases.count > 200)
    for item in cases {
      let black = RGBImage(
        width: item.width, height: item.height,
        pixels: [UInt8](repeating: 0, count: item.width * item.height * 3))
      let mode = try #require(ResizeMode(rawValue: item.mode))
      let made = black.resized(mode: mode, size: item.size, onlyIfBigger: item.onlyIfBigger)
      #expect([made.width, made.height] == item.out, "\(item)")
      #expect(Self.blackBox(of: made) == item.black, "\(item)")
    }
  }

  @Test("the crop is the middle, one pixel more is cut off at the right and the bottom")
  func cropsMiddle() {
    let image = TestPictures.gradient(width: 11, height: 6)
    let made = image.resized(mode: .centerCrop, size: 6)
    #expect(made == image.cropped(left: 2, top: 0, width: 6, height: 6))
  }

  @Test(
    "a centre crop is the middle of the whole resized picture, bit for bit",
    arguments: [(300, 200), (200, 301), (1_001, 90), (64, 900), (96, 97), (37, 64), (64, 64)])
  func cropsWhatIsResized(width: Int, height: Int) {
    let image = TestPictures.gradient(width: width, height: height)
    let size = 64
    let whole = ResizeMode.centerCrop.scaledSize(
      width: width, height: height, size: size, onlyIfBigger: false)
    let reference = image.resized(
      width: whole.width, height: whole.height, filter: min(width, height) > size ? .area : .lanczos
    ).cropped(
      left: (whole.width - size) / 2, top: (whole.height - size) / 2, width: size, height: size)
    #expect(image.resized(mode: .centerCrop, size: size) == reference)
  }

  /// Left, top, right and bottom of what is dark.
  private static func blackBox(of image: RGBImage) -> [Int] {
    let dark = (0..<image.width * image.height).filter { image.pixels[$0 * 3] < 128 }
    let columns = dark.map { $0 % image.width }
    let rows = dark.map { $0 / image.width }
    return [
      columns.min() ?? 0, rows.min() ?? 0, (columns.max() ?? 0) + 1, (rows.max() ?? 0) + 1,
    ]
  }
}
