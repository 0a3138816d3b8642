import ContentHashing
import DecodeStage
import DurableFiles
import Foundation
import ImageCodec
import PipelineCore
import Testing

@Suite struct DecodeStageTests {
  private func picture(_ width: Int, _ height: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 31) })
  }

  @Test("kept pictures have the size asked for; each failure is dropped under its own reason")
  func fates() async throws {
    let jpeg = try ImageEncoder.jpeg(picture(40, 30), quality: 90)
    // One pixel wide: scaled to 256 it would have 256 × 5,120,000 pixels.
    let skinny = try ImageEncoder.png(picture(1, 20_000))
    let chunk = try FetchedChunk([
      jpeg, Array("<html></html>".utf8), [], Array(jpeg.prefix(jpeg.count / 2)), skinny,
      try ImageEncoder.webp(picture(300, 20), quality: 80),
    ])
    let (report, rows) = try await chunk.decode(decodeOptions())
    #expect(
      rows.map(\.drop?.reason) == [
        nil, .unsupportedFormat, .empty, .truncated, .tooManyPixels, nil,
      ])
    #expect(rows[0].width == 256 && rows[0].height == 256)
    #expect(rows[0].originalWidth == 40 && rows[0].originalHeight == 30)
    #expect(rows[0].sha256 == ContentHash.sha256Hex(jpeg))
    #expect(report.input == 6)
    #expect(report.kept == 2)
    #expect(report.dropped.values.reduce(0, +) == 4)
    try chunk.remove()
  }

  @Test("a chunk of none and a chunk of failures come through; a second run gives the same bytes")
  func edges() async throws {
    let empty = try FetchedChunk([])
    let nothing = try await empty.decode(decodeOptions())
    #expect(nothing.report.input == 0 && nothing.report.kept == 0)
    #expect(nothing.rows.isEmpty)
    try empty.remove()
    let bad = try FetchedChunk([[1, 2, 3], [], Array("{}".utf8)])
    let (report, _) = try await bad.decode(decodeOptions())
    #expect(report.kept == 0)
    #expect(report.dropped.values.reduce(0, +) == 3)
    try bad.remove()
    let good = try FetchedChunk([try ImageEncoder.png(picture(50, 70))])
    _ = try await good.decode(decodeOptions())
    let first = try DurableFile.read(good.folder.decodedBytes(0))
    _ = try await good.decode(decodeOptions())
    #expect(try DurableFile.read(good.folder.decodedBytes(0)) == first)
    #expect(!first.isEmpty)
    try good.remove()
  }
}
