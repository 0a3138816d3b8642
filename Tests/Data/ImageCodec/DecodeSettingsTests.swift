import Foundation
import ImageCodec
import Testing

@Suite struct DecodeSettingsTests {
  @Test("orientations, profiles and every PNG layout come out as their makers show them")
  func agrees() throws {
    let cases = try Fixtures.decodeCases()
    #expect(cases.count > 90)
    for item in cases {
      let picture = try ImageDecoder.decode(item.encoded, settings: DecodeSettings())
      #expect(picture.width == item.width && picture.height == item.height, "\(item.name)")
      let header = try ImageDecoder.header(of: item.encoded)
      #expect(header.width == item.width && header.height == item.height, "\(item.name)")
      let worst = zip(picture.image.pixels, item.expected.pixels).map {
        abs(Int($0) - Int($1))
      }.max()
      #expect((worst ?? 255) <= item.tolerance, "\(item.name)")
    }
  }

  @Test("orientation and profiles are left alone where the settings say so")
  func leavesAlone() throws {
    let turned = try Fixtures.decodeCase("orientation 6 PNG")
    var settings = DecodeSettings()
    settings.appliesOrientation = false
    let stored = try ImageDecoder.decode(turned.encoded, settings: settings)
    #expect(stored.width == turned.height && stored.height == turned.width)
    #expect(try ImageDecoder.decode(turned.encoded) == stored.image)

    let profiled = try Fixtures.decodeCase("wide RGB profile PNG")
    settings.convertsProfiles = false
    let plain = try ImageDecoder.decode(profiled.encoded, settings: settings).image
    #expect(try ImageDecoder.decode(profiled.encoded) == plain)
    #expect(plain != profiled.expected)
  }

  @Test("each limit is told by its own error, from the header alone")
  func limits() throws {
    // 30 × 20 by the header; no pixel follows, so decoding could only tell of truncation.
    let png = try ImageEncoder.png(TestPictures.gradient(width: 30, height: 20))
    let header = Array(png.prefix(33))
    var settings = DecodeSettings()
    settings.maxSide = 29
    #expect(throws: ImageError.sideTooLong(width: 30, height: 20, limit: 29)) {
      try ImageDecoder.decode(header, settings: settings)
    }
    settings.maxSide = 30
    settings.maxPixels = 599
    #expect(throws: ImageError.tooManyPixels(width: 30, height: 20, limit: 599)) {
      try ImageDecoder.header(of: header, settings: settings)
    }
    settings.maxPixels = 600
    settings.maxBytes = 32
    #expect(throws: ImageError.fileTooLarge(bytes: 33, limit: 32)) {
      try ImageDecoder.header(of: header, settings: settings)
    }
    settings.maxBytes = 33
    #expect(try ImageDecoder.header(of: header, settings: settings).width == 30)
    #expect(throws: ImageError.truncated) { try ImageDecoder.decode(header, settings: settings) }
  }

  @Test(
    "frames are counted, and too many are refused",
    arguments: [("gif animation", 2), ("webp animation", 2), ("gif", 1), ("webp lossy", 1)])
  func frames(name: String, count: Int) throws {
    let bytes = try Fixtures.picture(name).encoded
    #expect(try ImageDecoder.header(of: bytes).frames == count)
    var settings = DecodeSettings()
    settings.maxFrames = 1
    if count > 1 {
      #expect(throws: ImageError.tooManyFrames(count, limit: 1)) {
        try ImageDecoder.decode(bytes, settings: settings)
      }
    } else {
      #expect(try ImageDecoder.decode(bytes, settings: settings).width > 0)
    }
  }

  @Test("headers tell of alpha")
  func alpha() throws {
    // libwebp's encoder declares alpha for each lossless animation, used or not.
    for item in try Fixtures.pictures() where item.name != "webp animation lossless" {
      let transparent = ["rgba", "alpha", "tRNS"].contains { item.name.contains($0) }
      #expect(
        try ImageDecoder.header(of: item.encoded).hasAlpha == transparent, "\(item.name)")
    }
  }

  @Test("a GIF's transparent index shows white")
  func transparentGIF() throws {
    let item = try Fixtures.picture("gif")
    let opaque = item.encoded
    let frame = 13 + (3 << (Int(opaque[10] & 7) + 1))
    #expect(opaque[frame] == 0x2C)
    // A graphic control extension with the index of the first pixel's colour: GIF89a §23.
    for index in 0..<8 as Range<UInt8> {
      let control: [UInt8] = [0x21, 0xF9, 4, 1, 0, 0, index, 0]
      let bytes = Array(opaque[..<frame]) + control + Array(opaque[frame...])
      #expect(try ImageDecoder.header(of: bytes).hasAlpha)
      let table = 13 + 3 * Int(index)
      let colour = Array(opaque[table..<table + 3])
      var expected = item.expected
      for pixel in 0..<expected.width * expected.height
      where Array(expected.pixels[pixel * 3..<pixel * 3 + 3]) == colour {
        expected.pixels.replaceSubrange(pixel * 3..<pixel * 3 + 3, with: [255, 255, 255])
      }
      #expect(try ImageDecoder.decode(bytes) == expected, "index \(index)")
    }
  }

  @Test("a cut JPEG is whole above the cut and grey below, where that is tolerated")
  func toleratesCutJPEG() throws {
    let image = TestPictures.gradient(width: 64, height: 160)
    let bytes = try ImageEncoder.jpeg(image, quality: 90)
    let whole = try ImageDecoder.decode(bytes)
    let cut = Array(bytes.prefix(bytes.count * 6 / 10))
    #expect(throws: ImageError.truncated) {
      try ImageDecoder.decode(cut, settings: DecodeSettings())
    }
    var settings = DecodeSettings()
    settings.toleratesTruncation = true
    let picture = try ImageDecoder.decode(cut, settings: settings).image
    // 4:2:0 chroma of a row of blocks leans on the next, so the last whole one is left out.
    #expect(picture.pixels[..<(64 * 3 * 48)] == whole.pixels[..<(64 * 3 * 48)])
    #expect(picture.pixels.suffix(64 * 3 * 8).allSatisfy { $0 == 128 })
    // Without a header there is nothing to tolerate.
    #expect(throws: ImageError.truncated) {
      try ImageDecoder.decode(Array(bytes.prefix(100)), settings: settings)
    }
  }

  @Test("a cut PNG is whole above the cut and black below, where that is tolerated")
  func toleratesCutPNG() throws {
    var random = SystemRandomNumberGenerator()
    let noise = RGBImage(
      width: 50, height: 80,
      pixels: (0..<12_000).map { _ in UInt8.random(in: 1...255, using: &random) })
    let bytes = try ImageEncoder.png(noise)
    var settings = DecodeSettings()
    settings.toleratesTruncation = true
    let cut = Array(bytes.prefix(bytes.count / 2))
    #expect(throws: ImageError.truncated) {
      try ImageDecoder.decode(cut, settings: DecodeSettings())
    }
    let picture = try ImageDecoder.decode(cut, settings: settings).image
    #expect(picture.pixels[..<(50 * 3 * 20)] == noise.pixels[..<(50 * 3 * 20)])
    #expect(picture.pixels.suffix(50 * 3 * 20).allSatisfy { $0 == 0 })
  }

  @Test("EXIF is told in exifread's names and words, as img2dataset's column")
  func exif() throws {
    let item = try Fixtures.decodeCase("EXIF JPEG")
    let expected = try #require(item.exif)
    #expect(ImageMetadata.exifJSON(of: item.encoded) == expected)
    let webp = try Fixtures.decodeCase("EXIF WEBP")
    #expect(ImageMetadata.exifJSON(of: webp.encoded) == expected)
    #expect(ImageMetadata.exifJSON(of: try Fixtures.picture("png rgb").encoded) == "{}")
    #expect(ImageMetadata.exifJSON(of: []) == "{}")
    #expect(
      ImageMetadata.exif(of: try Fixtures.decodeCase("orientation 6 PNG").encoded).map {
        "\($0.name): \($0.value)"
      } == ["Image Orientation: Rotated 90 CW"])
  }

  @Test("EXIF made to exhaust is read within bounds")
  func hostileEXIF() {
    // A directory that claims 65,535 fields, each a text of 4 GB.
    var tiff: [UInt8] = Array("II".utf8) + [42, 0, 8, 0, 0, 0, 0xFF, 0xFF]
    for _ in 0..<5_000 { tiff += [0x0E, 0x01, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 8, 0, 0, 0] }
    let size = tiff.count + 8
    let jpeg: [UInt8] =
      [0xFF, 0xD8, 0xFF, 0xE1, UInt8(size >> 8), UInt8(size & 255)] + Array("Exif\0\0".utf8) + tiff
    let tags = ImageMetadata.exif(of: jpeg)
    #expect(tags.count == 1 && tags[0].name == "Image ImageDescription")
    #expect(ImageMetadata.exifJSON(of: jpeg).utf8.count < 600_000)
  }
}
