import Foundation
import ImageCodec
import Testing

/// Real and odd pictures that a developer may have beside the package; not part of the project.
@Suite(.enabled(if: Fixtures.shared != nil)) struct SharedPicturesTests {
  private struct Exotic: Decodable {
    var path: String
    var expect: String
    var width: Int?
    var height: Int?
  }

  private struct Captioned: Decodable {
    var path: String
    var width: Int
    var height: Int
  }

  @Test("every edge case ends as its list expects")
  func exotic() throws {
    let folder = try #require(Fixtures.shared).appendingPathComponent("exotic")
    for item in try lines(of: folder.appendingPathComponent("exotic.jsonl"), as: Exotic.self) {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(item.path)))
      // "either" leaves the choice to the decoder; a picture then has the size that is given.
      do {
        let image = try ImageDecoder.decode(bytes)
        #expect(item.expect != "reject", "\(item.path)")
        // EXIF orientation is not applied: the list gives the stored size.
        #expect(image.width == item.width && image.height == item.height, "\(item.path)")
      } catch {
        #expect(item.expect != "decode", "\(item.path): \(error)")
      }
    }
  }

  @Test("every picture of the corpus decodes, at its size")
  func corpus() throws {
    let folder = try #require(Fixtures.shared).appendingPathComponent("corpus")
    let items = try lines(of: folder.appendingPathComponent("captions.jsonl"), as: Captioned.self)
    #expect(items.count > 4000)
    for item in items {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(item.path)))
      do {
        let image = try ImageDecoder.decode(bytes)
        #expect(image.width == item.width && image.height == item.height, "\(item.path)")
      } catch {
        Issue.record("\(item.path): \(error)")
      }
    }
  }

  private func lines<T: Decodable>(of url: URL, as type: T.Type) throws -> [T] {
    try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(type, from: Data($0.utf8))
    }
  }
}
