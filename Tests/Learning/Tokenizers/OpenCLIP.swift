import Compression
import Foundation

/// Texts with the ids of open_clip's own tokenizer, as `Fixtures/parity.py` writes them.
enum OpenCLIP {
  struct Sample {
    var text: String
    var ids: [Int32]
  }

  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  private static let root: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root
  }()

  /// The pictures and captions beside the project; absent on a user's machine.
  static let sharedData: String? = {
    let path = root.appendingPathComponent("../shared/data").standardized.path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// The Python of PAIRLOOM_PEERS_PYTHON, if it has open_clip.
  static let python: String? = {
    guard let path = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"] else {
      return nil
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-c", "import open_clip, ftfy, regex"]
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    process.waitUntilExit()
    return process.terminationStatus == 0 ? path : nil
  }()

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
  static func samples(_ arguments: [String]) throws -> [Sample] {
    guard let python else { throw Failure(description: "PAIRLOOM_PEERS_PYTHON has no open_clip") }
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("pairloom-parity-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }  // there is none after a failure
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments =
      ["-B", fixtures.appendingPathComponent("parity.py").path] + arguments + [file.path]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "parity.py ended with \(process.terminationStatus)")
    }
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
