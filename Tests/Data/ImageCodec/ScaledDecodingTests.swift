import Foundation
import ImageCodec
import Testing

/// JPEGs decoded at a smaller scale, on the way to a smaller size.
@Suite struct ScaledDecodingTests {
  static func picture(width: Int, height: Int) throws -> [UInt8] {
    try ImageEncoder.jpeg(TestPictures.gradient(width: width, height: height), quality: 90)
  }

  @Test(
    "the smallest of 1/8, 1/4, 1/2 is taken that leaves 1.4 times the target",
    arguments: [
      (1000, 700, 60, 60, 8), (1000, 700, 64, 64, 4), (1000, 700, 124, 100, 4),
      (1000, 700, 128, 128, 2), (1000, 700, 357, 250, 2), (1000, 700, 358, 250, 1),
      (1001, 701, 100, 50, 4), (17, 9, 1, 1, 4), (1000, 700, 1000, 700, 1),
    ])
  func scale(width: Int, height: Int, columns: Int, rows: Int, divisor: Int) throws {
    let bytes = try Self.picture(width: width, height: height)
    let picture = try ImageDecoder.decode(
      bytes, settings: DecodeSettings(), atLeast: (columns, rows))
    #expect(picture.width == width && picture.height == height)
    #expect(picture.image.width == (width + divisor - 1) / divisor)
    #expect(picture.image.height == (height + divisor - 1) / divisor)

    var exact = DecodeSettings()
    exact.exact = true
    let full = try ImageDecoder.decode(bytes, settings: exact, atLeast: (columns, rows)).image
    #expect(try full == ImageDecoder.decode(bytes))
  }

  @Test("the target is upright: the sides of a turned picture change places")
  func turned() throws {
    // A picture of 800 × 200 that stands as 200 × 800.
    let stored = try Self.picture(width: 800, height: 200)
    let exif: [UInt8] =
      Array("Exif\0\0MM".utf8) + [
        0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
      ]
      + [0, 0, 0, 0]
    let bytes =
      stored.prefix(2) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + stored.dropFirst(2)
    let picture = try ImageDecoder.decode(
      Array(bytes), settings: DecodeSettings(), atLeast: (17, 70))
    #expect(picture.width == 200 && picture.height == 800)
    #expect(picture.image.width == 25 && picture.image.height == 100)
  }

  @Test("a scaled picture is that of the full size, averaged: at 1/8 each block's mean")
  func isTheMean() throws {
    let bytes = try ImageEncoder.jpeg(
      TestPictures.gradient(width: 320, height: 240), quality: 95)
    let full = try ImageDecoder.decode(bytes)
    let small = try ImageDecoder.decode(bytes, settings: DecodeSettings(), atLeast: (20, 20)).image
    let means = full.resized(width: 40, height: 30, filter: .box)
    // The DC term is the mean of luma; clipping before averaging and chroma's smoothing set them
    // apart by a few levels.
    let differences = zip(small.pixels, means.pixels).map { abs(Int($0) - Int($1)) }
    #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 1.5)
  }

  /// The corpus is not part of the project; the figures are those of `DecodeSettings`.
  @Test(
    "after resizing by area, the default, the shared pictures stay near to the exact path",
    .enabled(if: Fixtures.shared != nil))
  func keepsQuality() throws {
    let folder = try #require(Fixtures.shared).appendingPathComponent("corpus")
    var values: [Double] = []
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    for path in paths where path.hasSuffix(".jpg") {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
      // The corpus holds none that is damaged, and some PNGs under the name of a JPEG.
      let header = try ImageDecoder.header(of: bytes)
      guard header.format == .jpeg, min(header.width, header.height) >= 720 else { continue }
      let size = ResizeMode.keepRatio.scaledSize(
        width: header.width, height: header.height, size: 256, onlyIfBigger: false)
      let scaled = try ImageDecoder.decode(bytes, settings: DecodeSettings(), atLeast: size).image
      let share = Double(scaled.width) / Double(header.width)
      guard scaled.width < header.width else { continue }
      var exact = DecodeSettings()
      exact.exact = true
      let full = try ImageDecoder.decode(bytes, settings: exact).image
      let eighths = (share * 8).rounded() / 8
      values.append(
        Self.psnr(
          full.resized(width: size.width, height: size.height, filter: .area),
          scaled.resized(
            box: (0, 0, Double(header.width) * eighths, Double(header.height) * eighths),
            width: size.width, height: size.height, filter: .area)))
    }
    values.sort()
    #expect(values.count > 20)
    // Seen on 74 pictures: a mean of 46.1 and a 5th percentile of 39.0.
    #expect(values.reduce(0, +) / Double(values.count) > 45)
    #expect(values[values.count / 20] > 38)
  }

  static func psnr(_ a: RGBImage, _ b: RGBImage) -> Double {
    let sum = zip(a.pixels, b.pixels).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
    return sum == 0 ? 99 : 10 * log10(65_025 * Double(a.pixels.count) / Double(sum))
  }
}
