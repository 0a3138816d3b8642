import Foundation
import ImageCodec

/// A Python with Pillow (and OpenCV, for one of its ways), where there is one:
/// PAIRLOOM_PEERS_PYTHON, or what `Tests/Support/peers.sh` made in `.build/peers`.
enum DecodePeer {
  struct Answer: Decodable {
    var path: String
    var width: Int?
    var height: Int?
    var crc: UInt32?
    var error: String?
  }

  struct Failure: Error {
    var output: String
  }

  static let withPillow = python(with: "PIL.ImageCms, numpy")
  static let withOpenCV = python(with: "cv2, PIL.ImageCms, numpy")

  /// What the peer makes of each file, in the order of `paths`.
  static func decode(_ python: String, _ kind: String, _ paths: [String], dump: URL? = nil) throws
    -> [Answer]
  {
    let list = FileManager.default.temporaryDirectory
      .appendingPathComponent("decode-\(UUID().uuidString)")
    try Data(paths.joined(separator: "\n").utf8).write(to: list)
    defer { try? FileManager.default.removeItem(at: list) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/decode_peer.py")
    let text = try run(
      python, ["-B", script.path, kind] + (dump.map { [$0.path] } ?? []), input: list)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
    }
  }

  /// The peer's pixels of one file.
  static func pixels(_ python: String, _ kind: String, _ path: String) throws -> [UInt8] {
    let dump = FileManager.default.temporaryDirectory
      .appendingPathComponent("pixels-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: dump) }
    _ = try decode(python, kind, [path], dump: dump)
    return [UInt8](try Data(contentsOf: dump))
  }

  private static func python(with modules: String) -> String? {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: path),
      let output = try? run(path, ["-c", "import \(modules)"], input: nil), output.isEmpty
    else { return nil }
    return path
  }

  private static func run(_ program: String, _ arguments: [String], input: URL?) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice  // OpenCV's and Pillow's warnings
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(output: text) }
    return text
  }

  /// CRC-32 (ISO 3309), as zlib's.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 255)] ^ value >> 8 }
    return ~value
  }

  private static let table: [UInt32] = (0..<256).map { start in
    (0..<8).reduce(UInt32(start)) { value, _ in
      value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320
    }
  }
}
