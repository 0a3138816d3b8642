import Foundation
import ImageCodec
import Testing

/// What Pillow, OpenCV and img2dataset make of pictures: a few committed cases, and many live ones
/// where `PAIRLOOM_PEERS_PYTHON` names a Python that has them.
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

  struct Failure: Error {
    var output: String
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  private static let python = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]

  /// Whether the named Python has these modules.
  static func has(_ modules: String) -> Bool {
    guard let python else { return false }
    return (try? run(python, ["-c", "import \(modules)"])) != nil  // else it is no peer
  }

  static let hasPillow = has("numpy, PIL")
  static let hasImg2dataset = has("cv2, img2dataset.resizer, PIL")
  static let missing: Comment = "PAIRLOOM_PEERS_PYTHON names no Python with these libraries"

  static func committed(_ kind: String) throws -> [Case] {
    let file = folder.appendingPathComponent("peer-\(kind).json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  static func live(_ kind: String, count: Int, seed: Int = 2) throws -> [Case] {
    guard let python else { throw Failure(output: "no Python") }
    let script = folder.appendingPathComponent("resize_peer.py").path
    let output = try run(python, ["-B", script, kind, "\(count)", "\(seed)"])
    return try JSONDecoder().decode([Case].self, from: output)
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(output: "\(program) \(arguments): \(process.terminationStatus)")
    }
    return bytes
  }

  /// The largest difference of two bytes at one place.
  static func worst(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }
}
