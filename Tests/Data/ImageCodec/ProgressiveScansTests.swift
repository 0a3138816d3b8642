import ImageCodec
import Testing

/// Progressive JPEGs at 1/8 of their size, of which most scans are passed over.
@Suite struct ProgressiveScansTests {
  private static func picture(
    width: Int, height: Int, _ subsampling: ChromaSubsampling, isProgressive: Bool
  ) throws -> [UInt8] {
    try ImageEncoder.jpeg(
      TestPictures.gradient(width: width, height: height), quality: 88, subsampling: subsampling,
      progressive: isProgressive)
  }

  private static func eighth(_ bytes: [UInt8]) throws -> RGBImage {
    let picture = try ImageDecoder.decode(
      bytes, settings: DecodeSettings(), atLeast: (1, 1))
    #expect(picture.image.width == (picture.width + 7) / 8)
    return picture.image
  }

  /// Both have the same coefficients, so what a sequential file shows is what a progressive must.
  @Test(
    "a progressive picture at 1/8 is that of the sequential one, to the bit",
    arguments: ChromaSubsampling.allCases, [(640, 480), (643, 477), (129, 67)])
  func equalsSequential(subsampling: ChromaSubsampling, size: (Int, Int)) throws {
    let (width, height) = size
    let sequential = try Self.picture(
      width: width, height: height, subsampling, isProgressive: false)
    let progressive = try Self.picture(
      width: width, height: height, subsampling, isProgressive: true)
    #expect(progressive != sequential)
    #expect(try Self.eighth(progressive) == Self.eighth(sequential))
  }

  /// The places of the bytes of scans whose first coefficient is not the mean, brightness alone.
  private static func brightnessScans(of bytes: [UInt8]) -> [Range<Int>] {
    var scans: [Range<Int>] = []
    for start in bytes.indices.dropLast(10)
    where bytes[start] == 0xFF && bytes[start + 1] == 0xDA && bytes[start + 4] == 1
      && bytes[start + 5] == 1 && bytes[start + 7] > 0
    {
      let end = bytes[(start + 10)...].indices.first { place in
        place + 1 < bytes.count && bytes[place] == 0xFF && bytes[place + 1] != 0
      }
      if let end { scans.append(start + 10..<end) }
    }
    return scans
  }

  @Test(
    "scans that 1/8 does not need are not decoded: damage there changes nothing, and is fatal to the whole"
  )
  func damage() throws {
    let bytes = try Self.picture(width: 640, height: 480, .s420, isProgressive: true)
    let scans = Self.brightnessScans(of: bytes)
    #expect(scans.count >= 3)
    var damaged = bytes
    for scan in scans {
      // Stuffed bytes stay, or new markers would begin.
      for place in scan where bytes[place] != 0xFF && bytes[place - 1] != 0xFF {
        damaged[place] = ~bytes[place] & 0xFE
      }
    }
    #expect(try Self.eighth(damaged) == Self.eighth(bytes))
    #expect(throws: ImageError.self) { try ImageDecoder.decode(damaged) }
  }

  @Test("a progressive file that is cut anywhere is refused at 1/8 too")
  func cut() throws {
    let bytes = try Self.picture(width: 320, height: 240, .s420, isProgressive: true)
    for length in stride(from: 2, to: bytes.count - 1, by: 97) {
      #expect(throws: ImageError.self, "cut at \(length)") {
        try Self.eighth(Array(bytes.prefix(length)))
      }
    }
  }

  @Test("what follows the end of the picture is passed over")
  func trailing() throws {
    let bytes = try Self.picture(width: 320, height: 240, .s444, isProgressive: true)
    #expect(try Self.eighth(bytes + [1, 2, 0xFF, 0xDA, 3]) == Self.eighth(bytes))
  }
}
