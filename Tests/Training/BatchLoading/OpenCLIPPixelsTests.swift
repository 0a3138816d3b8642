import BatchLoading
import Foundation
import ImageCodec
import TestTools
import Testing

/// Whole pictures through open_clip's transform, where its Python is there.
@Suite(.peers("open_clip")) struct OpenCLIPPixelsTests {
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
    guard let data = ProjectFolder.sharedData else { return [] }
    let corpus = URL(fileURLWithPath: data + "/corpus")
    let all = (FileManager.default.enumerator(atPath: corpus.path)?.allObjects ?? [])
      .compactMap { $0 as? String }.filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
    return stride(from: 0, to: all.count, by: max(1, all.count / 40)).map {
      corpus.appendingPathComponent(all[$0]).path
    }
  }

  @Test("every float equals open_clip's, bit for bit, for each interpolation and resize mode")
  func floats() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pixels-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // Only tidying up.
    let script = ProjectFolder.root + "/Tests/Support/Peers/open_clip_pixels.py"
    let text = try await PeerPython.run([script, folder.path] + Self.sharedPictures()).text
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
