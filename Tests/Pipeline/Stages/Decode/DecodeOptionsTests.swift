import DecodeStage
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
