import BatchLoading
import Foundation
import ImageCodec
import Testing

private let openCLIPPython = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]

/// Whole pictures through open_clip's transform, where its Python is there.
@Suite(
  .enabled(
    if: openCLIPPython != nil, "name a Python with open_clip in PAIRLOOM_PEERS_PYTHON"))
struct OpenCLIPPixelsTests {
  static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
  }

  struct Case: Decodable {
    var number: Int
    var width: Int
    var height: Int
    var size: Int
    var filter: ResampleFilter
    var resizeMode: ImagePreprocessing.ResizeMode
    var fillColor: UInt8
  }

  /// Up to 40 of the shared pictures, spread over all of them.
  static func sharedPictures() -> [String] {
    let corpus = root.appendingPathComponent("../shared/data/corpus").standardized
    let all = (FileManager.default.enumerator(atPath: corpus.path)?.allObjects ?? [])
      .compactMap { $0 as? String }.filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
    return stride(from: 0, to: all.count, by: max(1, all.count / 40)).map {
      corpus.appendingPathComponent(all[$0]).path
    }
  }

  @Test("every float equals open_clip's, bit for bit, for each interpolation and resize mode")
  func floats() throws {
    let python = try #require(openCLIPPython)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pixels-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // Only tidying up.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments =
      [
        "-W", "ignore",
        Self.root.appendingPathComponent("Tests/Support/Peers/open_clip_pixels.py").path,
        folder.path,
      ] + Self.sharedPictures()
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let cases = try text.split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
    #expect(cases.count >= 60)
    for one in cases {
      let pixels = try Data(contentsOf: folder.appendingPathComponent("\(one.number).rgb"))
      let expected = try Data(contentsOf: folder.appendingPathComponent("\(one.number).f32"))
      let preprocessing = ImagePreprocessing(
        size: one.size, filter: one.filter, resizeMode: one.resizeMode, fillColor: one.fillColor)
      let values = preprocessing.evaluate(
        RGBImage(width: one.width, height: one.height, pixels: Array(pixels)))
      let bytes = values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
      }
      #expect(bytes == Array(expected), "\(one)")
    }
  }
}
