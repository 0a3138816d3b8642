import Foundation
import ImageCodec
import TestTools

/// Pillow and OpenCV, by `Fixtures/decode_peer.py`.
enum DecodePeer {
  struct Answer: Decodable {
    var path: String
    var width: Int?
    var height: Int?
    var crc: UInt32?
    var error: String?
  }

  /// What the peer makes of each file, in the order of `paths`.
  static func decode(
    _ kind: String, _ paths: [String], dump: URL? = nil
  ) async throws -> [Answer] {
    let list = FileManager.default.temporaryDirectory
      .appendingPathComponent("decode-\(UUID().uuidString)")
    try Data(paths.joined(separator: "\n").utf8).write(to: list)
    defer { try? FileManager.default.removeItem(at: list) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/decode_peer.py")
    let text = try await PeerPython.run(
      [script.path, kind] + (dump.map { [$0.path] } ?? []), input: list
    ).text
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
    }
  }

  /// The peer's pixels of one file.
  static func pixels(_ kind: String, _ path: String) async throws -> [UInt8] {
    let dump = FileManager.default.temporaryDirectory
      .appendingPathComponent("pixels-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: dump) }
    _ = try await decode(kind, [path], dump: dump)
    return [UInt8](try Data(contentsOf: dump))
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
