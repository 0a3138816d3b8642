import ImageCodec
import TestTools
import Testing

@Suite struct ResizePeerTests {
  @Test("every filter equals Pillow bit for bit, on odd sizes, single pixels and crops")
  func filters() throws {
    try check(try ResizePeer.committed("filters"), within: 0)
  }

  @Test(
    "every filter equals the Pillow that is there, over a thousand resizes",
    .peers("numpy", "PIL"))
  func filtersLive() async throws {
    try check(try await ResizePeer.live("filters", count: 1000), within: 0)
  }

  // OpenCV rounds once, here each of two passes rounds: hence one level.
  @Test("area is OpenCV's INTER_AREA within one level, shrinking, growing and both")
  func area() throws {
    try check(try ResizePeer.committed("area"), within: 1)
  }

  @Test(
    "area is the live OpenCV's within one level, over a thousand resizes",
    .peers("cv2", "img2dataset.resizer", "PIL"))
  func areaLive() async throws {
    try check(try await ResizePeer.live("area", count: 1000), within: 1)
  }

  private func check(_ cases: [ResizePeer.Case], within bound: Int) throws {
    for (index, item) in cases.enumerated() {
      let image = try item.image()
      let (width, height) = (try #require(item.outWidth), try #require(item.outHeight))
      let filter = try item.resampleFilter()
      let made =
        item.box.map {
          image.resized(
            box: ($0[0], $0[1], $0[2], $0[3]), width: width, height: height, filter: filter)
        } ?? image.resized(width: width, height: height, filter: filter)
      let worst = ResizePeer.worst(made.pixels, try item.expectedBytes())
      #expect(
        worst <= bound,
        "case \(index): \(filter) \(item.width)x\(item.height) \(item.box ?? []) to \(width)x\(height)"
      )
    }
  }

  @Test(
    "sizes are img2dataset's over a sweep of sizes and modes",
    .peers("cv2", "img2dataset.resizer", "PIL"))
  func sizesLive() async throws {
    for item in try await ResizePeer.live("sizes", count: 1500) {
      let mode = try item.resizeMode()
      let size = try #require(item.size)
      let only = item.onlyIfBigger ?? false
      let image = RGBImage(
        width: item.width, height: item.height,
        pixels: [UInt8](repeating: 0, count: item.width * item.height * 3))
      let made = image.resized(mode: mode, size: size, onlyIfBigger: only)
      #expect(
        made.width == item.outWidth && made.height == item.outHeight,
        "\(item.width)x\(item.height) \(mode) \(size) \(only): \(made.width)x\(made.height)")
    }
  }

  // Floating point in another order may fall on the other side of a whole level.
  @Test("blurred boxes are img2dataset's within one level")
  func blur() throws {
    try checkBlur(try ResizePeer.committed("blur"))
  }

  @Test(
    "blurred boxes are the live img2dataset's within one level",
    .peers("cv2", "img2dataset.resizer", "PIL"))
  func blurLive() async throws {
    try checkBlur(try await ResizePeer.live("blur", count: 200))
  }

  private func checkBlur(_ cases: [ResizePeer.Case]) throws {
    for (index, item) in cases.enumerated() {
      let boxes = try #require(item.boxes).map {
        BlurBox(left: $0[0], top: $0[1], right: $0[2], bottom: $0[3])
      }
      let made = try item.image().blurred(boxes: boxes)
      #expect(ResizePeer.worst(made.pixels, try item.expectedBytes()) <= 1, "case \(index)")
    }
  }
}
