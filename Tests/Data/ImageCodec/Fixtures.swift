import Foundation
import ImageCodec
import Testing

/// What `Fixtures/make_fixtures.py` wrote: pictures, and what Pillow makes of them.
enum Fixtures {
  struct Picture: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var width: Int
    var height: Int
    var bytes: Data
    var rgb: Data
    var tolerance: Int

    var testDescription: String { name }
    var encoded: [UInt8] { [UInt8](bytes) }
    var expected: RGBImage { RGBImage(width: width, height: height, pixels: [UInt8](rgb)) }
  }

  /// A case of `make_decode_fixtures.py`: what stands beside the pixels, and odd layouts.
  struct DecodeCase: Decodable, Sendable {
    var name: String
    var width: Int
    var height: Int
    var bytes: Data
    var rgb: Data
    var tolerance: Int
    var exif: String?

    var encoded: [UInt8] { [UInt8](bytes) }
    var expected: RGBImage { RGBImage(width: width, height: height, pixels: [UInt8](rgb)) }
  }

  private struct DecodeFile: Decodable {
    var cases: [DecodeCase]
  }

  static func decodeCases() throws -> [DecodeCase] {
    try read("decode.json", as: DecodeFile.self).cases
  }

  static func decodeCase(_ name: String) throws -> DecodeCase {
    try #require(try decodeCases().first { $0.name == name })
  }

  struct Source: Decodable, Sendable {
    var width: Int
    var height: Int
    var rgb: Data

    var image: RGBImage { RGBImage(width: width, height: height, pixels: [UInt8](rgb)) }
  }

  struct Resample: Decodable, Sendable {
    var source: String
    var box: [Double]?
    var width: Int
    var height: Int
    var filter: String
    var fnv1a: String
  }

  private struct PictureFile: Decodable {
    var images: [Picture]
  }

  struct ResampleFile: Decodable {
    var sources: [String: Source]
    var cases: [Resample]
  }

  static func pictures() throws -> [Picture] {
    try read("images.json", as: PictureFile.self).images
  }

  static func picture(_ name: String) throws -> Picture {
    try #require(try pictures().first { $0.name == name })
  }

  static func resamples() throws -> ResampleFile {
    try read("resample.json", as: ResampleFile.self)
  }

  /// One run of img2dataset's resizer on a black picture, from `make_resize_modes.py`.
  struct ResizeModeCase: Decodable, Sendable {
    var width: Int
    var height: Int
    var mode: String
    var size: Int
    var onlyIfBigger: Bool
    var out: [Int]
    var black: [Int]

    enum CodingKeys: String, CodingKey {
      case width, height, mode, size, out, black
      case onlyIfBigger = "only_if_bigger"
    }
  }

  static func resizeModes() throws -> [ResizeModeCase] {
    try read("resize-modes.json", as: [ResizeModeCase].self)
  }

  private static func read<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let path = folder.appendingPathComponent("Fixtures/\(name)")
    return try JSONDecoder().decode(type, from: Data(contentsOf: path))
  }

  /// The shared pictures beside the package, where a developer has them.
  static let shared: URL? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    let folder = root.appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()
}
