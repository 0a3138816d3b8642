import Foundation
import ImageCodec
import TestTools
import Testing

/// What Pillow, OpenCV and img2dataset make of pictures: a few committed cases, and many live ones.
enum ResizePeer {
  /// One line of `Fixtures/resize_peer.py`; which fields are there depends on the kind.
  struct Case: Decodable {
    var width: Int
    var height: Int
    var rgb: Data?
    var filter: String?
    var box: [Double]?
    var outWidth: Int?
    var outHeight: Int?
    var expected: Data?
    var mode: String?
    var size: Int?
    var onlyIfBigger: Bool?
    var quality: Int?
    var subsampling: String?
    var optimised: Bool?
    var progressive: Bool?
    var boxes: [[Double]]?
    var level: Int?
    var png: Int?
    var webp: Int?
    var lossless: Int?

    func image() throws -> RGBImage {
      RGBImage(width: width, height: height, pixels: [UInt8](try #require(rgb)))
    }

    func resampleFilter() throws -> ResampleFilter {
      let name = try #require(filter)
      return try #require(ResampleFilter(rawValue: name))
    }

    func resizeMode() throws -> ResizeMode {
      let name = try #require(mode)
      return try #require(ResizeMode(rawValue: name))
    }

    func chromaSubsampling() throws -> ChromaSubsampling {
      let name = try #require(subsampling)
      return try #require(ChromaSubsampling(rawValue: name))
    }

    func expectedBytes() throws -> [UInt8] { [UInt8](try #require(expected)) }
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static func committed(_ kind: String) throws -> [Case] {
    let file = folder.appendingPathComponent("peer-\(kind).json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  static func live(_ kind: String, count: Int, seed: Int = 2) async throws -> [Case] {
    let script = folder.appendingPathComponent("resize_peer.py").path
    let output = try await PeerPython.run([script, kind, "\(count)", "\(seed)"])
    return try JSONDecoder().decode([Case].self, from: Data(output.bytes))
  }

  /// The largest difference of two bytes at one place.
  static func worst(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }
}
