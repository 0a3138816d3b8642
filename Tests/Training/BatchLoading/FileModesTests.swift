import BatchLoading
import ContentHashing
import Foundation
import ImageCodec
import Testing

private let peersPython = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]

/// Files of every mode that Pillow opens, as open_clip evaluates them: resized in their own colours.
@Suite struct FileModesTests {
  private struct Sample: Decodable {
    struct Case: Decodable {
      var filter: ResampleFilter
      var resizeMode: ImagePreprocessing.ResizeMode
      var fillColor: UInt8
      var sha256: String
    }
    var name: String
    var file: Data
    var cases: [Case]
  }

  private static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
  }

  private static func samples(_ lines: Data) throws -> [Sample] {
    try lines.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Sample.self, from: $0)
    }
  }

  private static func preprocessing(_ one: Sample.Case) -> ImagePreprocessing {
    ImagePreprocessing(
      size: 16, filter: one.filter, resizeMode: one.resizeMode, fillColor: one.fillColor)
  }

  @Test("pictures of every mode become open_clip's, bit for bit, in each resize mode")
  func squares() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/file_modes.jsonl")
    let samples = try Self.samples(Data(contentsOf: path))
    #expect(samples.count >= 60)
    for sample in samples {
      let picture = try ImageDecoder.filePicture(in: Array(sample.file))
      for one in sample.cases {
        let square = Self.preprocessing(one).square(picture)
        #expect(
          ContentHash.sha256Hex(square.pixels) == one.sha256,
          "\(sample.name): \(one.filter), \(one.resizeMode), borders \(one.fillColor)")
      }
    }
  }

  @Test(
    "new files of every mode give open_clip's floats, bit for bit",
    .enabled(
      if: peersPython != nil, "name a Python with open_clip in PAIRLOOM_PEERS_PYTHON"))
  func floats() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(peersPython))
    process.arguments = [
      "-W", "ignore",
      Self.root.appendingPathComponent("Tests/Support/Peers/open_clip_files.py").path,
      "\(UInt32.random(in: 0...UInt32.max))", "4", "floats",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let lines = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let seed = process.arguments?[3] ?? ""
    for sample in try Self.samples(lines) {
      let picture = try ImageDecoder.filePicture(in: Array(sample.file))
      for one in sample.cases {
        let bytes = Self.preprocessing(one).evaluate(picture).flatMap { value in
          (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
        }
        #expect(
          ContentHash.sha256Hex(bytes) == one.sha256,
          "seed \(seed), \(sample.name): \(one.filter), \(one.resizeMode), borders \(one.fillColor)"
        )
      }
    }
  }
}
