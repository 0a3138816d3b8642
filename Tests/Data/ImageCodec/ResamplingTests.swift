import ImageCodec
import Testing

@Suite struct ResamplingTests {
  @Test("resizing equals Pillow bit for bit, for every filter, box and size")
  func agreesWithPillow() throws {
    let fixtures = try Fixtures.resamples()
    #expect(fixtures.cases.count >= 100)
    for item in fixtures.cases {
      let source = try #require(fixtures.sources[item.source]).image
      let filter = try #require(ResampleFilter(rawValue: item.filter))
      let made =
        item.box.map {
          source.resized(
            box: ($0[0], $0[1], $0[2], $0[3]), width: item.width, height: item.height,
            filter: filter)
        } ?? source.resized(width: item.width, height: item.height, filter: filter)
      #expect(
        Self.fnv1a(made.pixels) == item.fnv1a,
        "\(item.source) \(item.box ?? []) \(item.filter) to \(item.width)x\(item.height)")
    }
  }

  @Test("a box inside the picture is the crop's own resize where the filter stays inside")
  func boxOfBlocks() {
    // Every result pixel of a box filter is the mean of its own 2 × 2 block.
    let source = TestPictures.gradient(width: 40, height: 30)
    let made = source.resized(box: (4, 6, 24, 26), width: 10, height: 10, filter: .box)
    for y in 0..<10 {
      for x in 0..<10 {
        for channel in 0..<3 {
          let first = ((6 + y * 2) * 40 + 4 + x * 2) * 3 + channel
          // The first pass rounds, then the second.
          let rows = (0..<2).map { row in
            (Int(source.pixels[first + row * 120]) + Int(source.pixels[first + row * 120 + 3]) + 1)
              / 2
          }
          #expect(Int(made.pixels[(y * 10 + x) * 3 + channel]) == (rows[0] + rows[1] + 1) / 2)
        }
      }
    }
  }

  static func fnv1a(_ bytes: [UInt8]) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
