import Compression
import Foundation
import TestTools

/// Texts with the ids of open_clip's own tokenizer, as `Fixtures/parity.py` writes them.
enum OpenCLIP {
  struct Sample {
    var text: String
    var ids: [Int32]
  }

  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  /// A number out of the environment, for runs longer than usual.
  static func count(_ name: String, otherwise count: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? count
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The nasties of the fixture, each with the hash of its ids.
  static func nasties() throws -> [(text: String, hash: UInt32)] {
    let packed = try [UInt8](Data(contentsOf: fixtures.appendingPathComponent("nasties.bin.gz")))
    let size = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    var reader = Reader(try BlockCodec.gzip.decompress(packed[...], size: size))
    var result: [(String, UInt32)] = []
    while !reader.isAtEnd { result.append((try reader.text(), try reader.number())) }
    return result
  }

  /// FNV-1a over the bytes of `ids`, little-endian.
  static func hash(_ ids: [Int32]) -> UInt32 {
    var hash: UInt32 = 0x811C_9DC5
    for id in ids {
      for shift in [0, 8, 16, 24] {
        hash = (hash ^ (UInt32(bitPattern: id) >> UInt32(shift) & 0xFF)) &* 0x0100_0193
      }
    }
    return hash
  }

  /// What `parity.py` writes for `arguments`; the path of its output is the last of them.
  static func samples(_ arguments: [String]) async throws -> [Sample] {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("pairloom-parity-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }  // there is none after a failure
    let script = fixtures.appendingPathComponent("parity.py").path
    _ = try await PeerPython.run([script] + arguments + [file.path])
    var reader = Reader(try [UInt8](Data(contentsOf: file)))
    var samples: [Sample] = []
    while !reader.isAtEnd {
      let text = try reader.text()
      let count = try reader.number()
      samples.append(
        Sample(text: text, ids: try (0..<count).map { _ in Int32(bitPattern: try reader.number()) })
      )
    }
    return samples
  }
}

/// Numbers of four bytes and texts, one after the other.
private struct Reader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }

  mutating func number() throws -> UInt32 {
    try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func text() throws -> String {
    let count = try Int(number())
    return String(decoding: try take(count), as: UTF8.self)
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= bytes.count - place else {
      throw OpenCLIP.Failure(description: "the file ends early, at byte \(place)")
    }
    place += count
    return bytes[(place - count)..<place]
  }
}
