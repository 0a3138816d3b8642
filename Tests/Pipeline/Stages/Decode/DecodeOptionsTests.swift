import DecodeStage
import DurableFiles
import Foundation
import ImageCodec
import PipelineCore
import Testing

/// What each option does to a picture, or to the rows that are kept.
@Suite struct DecodeOptionsTests {
  /// A picture that no JPEG keeps exactly.
  private static let picture = SandboxTests.picture(40, 30)

  /// What a stage with these settings keeps of a body.
  private func kept(_ body: [UInt8], _ settings: String...) async throws -> (
    row: DecodedRow, bytes: [UInt8]
  ) {
    var reader = try RecipeReader(yaml: "{}", path: "test", overrides: settings)
    let chunk = try FetchedChunk([body])
    let rows = try await chunk.decode(DecodeOptions(from: &reader)).rows
    let bytes = try chunk.kept(rows[0])
    try chunk.remove()
    return (rows[0], bytes)
  }

  /// A JPEG with an EXIF segment that holds an orientation and nothing else (TIFF 6.0, big-endian).
  private static func oriented(_ value: UInt8) throws -> [UInt8] {
    var file = try ImageEncoder.jpeg(picture, quality: 90)
    let tiff: [UInt8] =
      Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
      + [0, 0, 0, 0]
    let body = Array("Exif\0\0".utf8) + tiff
    let length = body.count + 2
    file.insert(
      contentsOf: [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 0xFF)] + body, at: 2)
    return file
  }

  @Test(
    "each encoding has its extension and content",
    arguments: [
      ("jpg", "80", ImageFormat.jpeg), ("png", "3", .png), ("webp", "80", .webp),
      ("webp", "101", .webp),
    ])
  func encodings(name: String, quality: String, format: ImageFormat) async throws {
    let (row, bytes) = try await kept(
      ImageEncoder.png(Self.picture), "encode_format=\(name)", "encode_quality=\(quality)",
      "resize_mode=no")
    #expect(row.format == name)
    #expect(ImageFormat.recognise(bytes) == format)
    let isExact = try ImageDecoder.decode(bytes) == Self.picture
    #expect(isExact == (name == "png" || quality == "101"))
  }

  @Test("qualities mean what they mean for the format; others are refused")
  func qualities() throws {
    #expect(try decodeOptions().encodeQuality == 95)
    #expect(try decodeOptions("encode_format=png").encodeQuality == 6)
    for settings in [
      ["encode_format=png", "encode_quality=95"], ["encode_quality=101"], ["encode_quality=0"],
    ] {
      #expect(throws: RecipeError.self) {
        var reader = try RecipeReader(yaml: "{}", path: "test", overrides: settings)
        _ = try DecodeOptions(from: &reader)
      }
    }
  }

  @Test("optimised tables and fewer colour samples make smaller JPEGs")
  func jpegSizes() async throws {
    let file = try ImageEncoder.png(SandboxTests.picture(300, 200))
    let usual = try await kept(file, "resize_mode=no").bytes
    #expect(
      try await kept(file, "resize_mode=no", "encode_optimized=true").bytes.count < usual.count)
    #expect(
      try await kept(file, "resize_mode=no", "encode_subsampling=444").bytes.count > usual.count)
  }

  @Test("skip_reencode keeps the bytes of a picture that needs no change, and of no other")
  func skipReencode() async throws {
    let jpeg = try ImageEncoder.jpeg(Self.picture, quality: 70)
    let settings = ["resize_mode=no", "skip_reencode=true"]
    let same = try await kept(jpeg, settings[0], settings[1])
    #expect(same.bytes == jpeg && same.row.format == "jpg")
    #expect(same.row.width == 40 && same.row.height == 30 && same.row.phash?.count == 16)
    // Another size, another format, a cut file, one that stands on its side.
    #expect(try await kept(jpeg, settings[1], "image_size=64").bytes != jpeg)
    let png = try ImageEncoder.png(Self.picture)
    #expect(try await kept(png, settings[0], settings[1]).row.format == "jpg")
    #expect(
      try await kept(Array(jpeg.dropLast(200)), settings[0], settings[1]).row.drop?.reason
        == .truncated)
    let turned = try Self.oriented(6)
    let upright = try await kept(turned, settings[0], settings[1])
    #expect(upright.bytes != turned && upright.row.width == 30 && upright.row.height == 40)
    #expect(
      try await kept(turned, settings[0], settings[1], "orientation=false").bytes == turned)
    #expect(try await kept(Self.oriented(1), settings[0], settings[1]).bytes == Self.oriented(1))
  }

  @Test("disable_all_reencoding keeps every whole picture's bytes under its own extension")
  func keepAll() async throws {
    let png = try ImageEncoder.png(Self.picture)
    let (row, bytes) = try await kept(png, "disable_all_reencoding=true")
    #expect(bytes == png && row.format == "png" && row.width == 40 && row.height == 30)
    #expect(
      try await kept(Array(png.dropLast(30)), "disable_all_reencoding=true").row.drop != nil)
  }

  @Test("pictures are turned upright unless img2dataset's ways are asked for")
  func orientation() async throws {
    let file = try Self.oriented(8)
    let upright = try await kept(file, "resize_mode=no").row
    #expect(upright.originalWidth == 30 && upright.originalHeight == 40 && upright.width == 30)
    let lying = try await kept(file, "resize_mode=no", "compatibility=img2dataset").row
    #expect(lying.originalWidth == 40 && lying.width == 40)
    let asked = try await kept(
      file, "resize_mode=no", "compatibility=img2dataset", "orientation=true"
    ).row
    #expect(asked.width == 30)
  }

  @Test("EXIF is kept as JSON when asked for, and not otherwise")
  func exif() async throws {
    let file = try Self.oriented(6)
    #expect(try await kept(file).row.exif == nil)
    let exif = try await kept(file, "extract_exif=true").row.exif
    #expect(exif == #"{"Image Orientation": "Rotated 90 CW"}"#)
  }

  @Test("a cut JPEG is taken as far as it goes where that is asked for")
  func truncated() async throws {
    let file = Array(try ImageEncoder.jpeg(Self.picture, quality: 90).dropLast(300))
    #expect(try await kept(file).row.drop?.reason == .truncated)
    #expect(try await kept(file, "tolerate_truncated=true").row.drop == nil)
  }

  @Test(
    "what a header shows is refused before it is decoded",
    arguments: [
      ("max_side=39", DropReason.sideTooLong), ("max_pixels=1199", .tooManyPixels),
      ("min_image_size=31", .imageTooSmall), ("max_image_area=1199", .imageAreaTooLarge),
      ("max_aspect_ratio=1.3", .aspectRatioTooLarge),
    ])
  func limits(setting: String, reason: DropReason) async throws {
    // No pixel of it can be decoded.
    let header = Array(try ImageEncoder.png(Self.picture).prefix(60))
    #expect(try await kept(header, setting).row.drop?.reason == reason)
  }

  @Test("the filters are those that are named")
  func filters() async throws {
    let png = try ImageEncoder.png(Self.picture)
    let settings = ["encode_format=png", "resize_mode=keep_ratio"]
    for filter in ["nearest", "bicubic", "lanczos"] {
      let down = try await kept(
        png, settings[0], settings[1], "image_size=10", "downscale_interpolation=\(filter)")
      let up = try await kept(
        png, settings[0], settings[1], "image_size=90", "upscale_interpolation=\(filter)")
      let named = try #require(ResampleFilter(rawValue: filter))
      let small = Self.picture.resized(width: 13, height: 10, filter: named)
      let large = Self.picture.resized(width: 120, height: 90, filter: named)
      #expect(try ImageDecoder.decode(down.bytes) == small)
      #expect(try ImageDecoder.decode(up.bytes) == large)
    }
  }

  @Test("boxes of the list are blurred; a row whose boxes make no sense is dropped")
  func boxes() async throws {
    let png = try ImageEncoder.png(Self.picture)
    let cells: [JSONValue?] = [
      nil, .string("[[0.25, 0.25, 0.75, 0.75]]"),
      .array([.array(["0.25", "0.25", "0.75", "0.75"].map { .number($0) })]), .string(""),
      .string("[]"), .null, .string("[[0.1, 0.2, 0.3]]"), .string("somewhere"),
      .string("[[0.9, 0, 0.1, 1]]"), .string("[[0, 0, 700, 500]]"), .number("3"),
    ]
    let chunk = try FetchedChunk(
      cells.map { _ in png },
      columns: cells.map { cell in cell.map { [.init("faces", $0)] } ?? [] })
    let options = try decodeOptions("bbox_column=faces", "resize_mode=no", "encode_format=png")
    let rows = try await chunk.decode(options).rows
    let none = [nil, nil, nil, nil, nil, nil] as [DropReason?]
    #expect(rows.map(\.drop?.reason) == none + [DropReason?](repeating: .badBoxes, count: 5))
    for index in [0, 3, 4, 5] {
      #expect(try ImageDecoder.decode(chunk.kept(rows[index])) == Self.picture)
    }
    let blurred = Self.picture.blurred(
      boxes: [BlurBox(left: 0.25, top: 0.25, right: 0.75, bottom: 0.75)])
    #expect(blurred != Self.picture)
    for index in [1, 2] {
      #expect(try ImageDecoder.decode(chunk.kept(rows[index])) == blurred)
    }
    // The boxes reach a decoder in another process, too.
    let published = try chunk.published()
    _ = try await chunk.decode(
      DecodeStage(options: options, threads: 2, worker: FaultyDecoder.command()))
    #expect(try chunk.published() == published)
    try chunk.remove()
  }

  @Test("a column of boxes that the list has not stops the run, and nothing is shown unblurred")
  func missingBoxes() async throws {
    let chunk = try FetchedChunk(
      [try ImageEncoder.png(Self.picture)],
      columns: [[.init("faces", .string("[[0.1, 0.1, 0.5, 0.5]]"))]])
    await #expect {
      try await chunk.decode(decodeOptions("bbox_column=face"))
    } throws: { error in
      error is any RunFault && "\(error)".contains("no column face") && "\(error)".contains("faces")
    }
    #expect(!DurableFile.exists(chunk.folder.decodedTable(0)))
    try chunk.remove()
  }

  @Test("bytes are kept only of what is whole, though a damaged picture may be taken")
  func damagedOriginals() async throws {
    let jpeg = try ImageEncoder.jpeg(Self.picture, quality: 90)
    let cut = Array(jpeg.dropLast(300))
    // A bit of the last third with which libjpeg mends the picture by a warning.
    var lenient = DecodeSettings()
    lenient.toleratesDamage = true
    let damaged = (jpeg.count * 2 / 3..<jpeg.count - 2).lazy.map { place in
      var bytes = jpeg
      bytes[place] = 0xFF
      bytes[place + 1] = 0xD1
      return bytes
    }.first { bytes in
      // What either refuses, or neither, is not looked for.
      (try? ImageDecoder.decode(bytes, settings: lenient)) != nil
        && (try? ImageDecoder.decode(bytes)) == nil
    }
    for (body, setting) in [
      (cut, "tolerate_truncated=true"), (try #require(damaged), "compatibility=img2dataset"),
    ] {
      let skipped = try await kept(body, "resize_mode=no", "skip_reencode=true", setting)
      #expect(skipped.row.drop == nil && skipped.bytes != body)
      _ = try ImageDecoder.decode(skipped.bytes)
      let asTheyAre = try await kept(body, "disable_all_reencoding=true", setting).row
      #expect([.truncated, .corrupt].contains(asTheyAre.drop?.reason), "\(setting)")
      // Whole ones stay as they are.
      #expect(try await kept(jpeg, "resize_mode=no", "skip_reencode=true", setting).bytes == jpeg)
      #expect(try await kept(jpeg, "disable_all_reencoding=true", setting).bytes == jpeg)
    }
  }

  @Test("exact decodes a large JPEG at its full size, and only then")
  func exact() async throws {
    let file = try ImageEncoder.jpeg(SandboxTests.picture(1_600, 1_200), quality: 90)
    let settings = ["image_size=64", "encode_format=png"]
    let full = try ImageDecoder.decode(file).resized(mode: .centerCrop, size: 64)
    let exact = try await kept(file, settings[0], settings[1], "exact=true")
    #expect(try ImageDecoder.decode(exact.bytes) == full)
    let scaled = try await kept(file, settings[0], settings[1])
    #expect(try ImageDecoder.decode(scaled.bytes) != full)
    #expect(scaled.row.originalWidth == 1_600 && scaled.row.width == 64)
  }

  /// A PNG with a profile wider than sRGB, from ImageCodec's fixtures, and its pixels in sRGB by lcms2.
  private struct Profiled: Decodable {
    struct Case: Decodable {
      var name: String
      var bytes: Data
      var rgb: Data
      var tolerance: Int
    }
    var cases: [Case]
  }

  @Test("profiles are converted to sRGB, or left alone where that is asked for")
  func profiles() async throws {
    let cases = try JSONDecoder().decode(
      Profiled.self,
      from: Data(contentsOf: Self.codecFixtures.appendingPathComponent("decode.json"))
    ).cases
    let wide = try #require(cases.first { $0.name == "wide RGB profile PNG" })
    let file = [UInt8](wide.bytes)
    func isExpected(_ bytes: [UInt8]) throws -> Bool {
      let pixels = try ImageDecoder.decode(bytes).pixels
      #expect(pixels.count == wide.rgb.count)
      return zip(pixels, wide.rgb).allSatisfy { abs(Int($0) - Int($1)) <= wide.tolerance }
    }
    let settings = ["resize_mode=no", "encode_format=png"]
    let converted = try await kept(file, settings[0], settings[1]).bytes
    #expect(try isExpected(converted))
    let plain = try await kept(file, settings[0], settings[1], "convert_profiles=false").bytes
    #expect(try !isExpected(plain))
  }

  private static let codecFixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../Data/ImageCodec/Fixtures").standardizedFileURL

  @Test("of an animation the first frame is kept, unless it has more frames than allowed")
  func frames() async throws {
    // GIF89a of one pixel and a table of two colours (GIF 89a specification, §17 to §22), three frames.
    let head: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0xFF, 0, 0, 0, 0, 0]
    let frame: [UInt8] = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]
    let file = head + frame + frame + frame + [0x3B]
    let settings = ["resize_mode=no", "encode_format=png"]
    let first = try await kept(file, settings[0], settings[1], "max_frames=3")
    #expect(try ImageDecoder.decode(first.bytes).pixels == [255, 0, 0])
    let refused = try await kept(file, settings[0], settings[1], "max_frames=2").row
    #expect(refused.drop?.reason == .tooManyFrames)
  }

  @Test("every option reaches a decoder in another process")
  func allOptions() async throws {
    let chunk = try FetchedChunk([
      try Self.oriented(6), try ImageEncoder.png(SandboxTests.picture(90, 60)),
      Array(try ImageEncoder.jpeg(Self.picture, quality: 90).dropLast(300)),
    ])
    for settings in [
      ["compatibility=img2dataset", "image_size=20"], ["extract_exif=true", "exact=true"],
      ["tolerate_truncated=true", "encode_optimized=true", "encode_subsampling=422"],
      ["skip_reencode=true", "resize_mode=no"], ["disable_all_reencoding=true"],
      ["encode_format=webp", "encode_quality=40", "resize_mode=border"],
      ["min_image_size=50", "upscale_interpolation=bicubic", "max_side=80"],
    ] {
      var reader = try RecipeReader(yaml: "{}", path: "test", overrides: settings)
      let options = try DecodeOptions(from: &reader)
      let report = try await chunk.decode(options).report
      let published = try chunk.published()
      let sandboxed = try await chunk.decode(
        DecodeStage(options: options, threads: 1, worker: FaultyDecoder.command()))
      #expect(sandboxed.report == report, "\(settings)")
      #expect(try chunk.published() == published, "\(settings)")
    }
    try chunk.remove()
  }
}
