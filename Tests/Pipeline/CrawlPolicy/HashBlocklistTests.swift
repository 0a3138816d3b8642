import CrawlPolicy
import Foundation
import SeededRandom
import Testing

@Suite struct HashBlocklistTests {
  static func digest(_ random: inout RandomStream, _ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 40) }
  }
  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test("what is listed is found, as bytes and as hexadecimal of either case; nothing else is")
  func contains() throws {
    var random = RandomStream(seed: 21)
    var text = "\u{FEFF}# hashes\r\n"
    let long = (0..<300).map { _ in Self.digest(&random, 32) }
    let short = (0..<300).map { _ in Self.digest(&random, 16) }
    for digest in long { text += Self.hex(digest).uppercased() + " # x\r\n" }
    for digest in short { text += "  \(Self.hex(digest))\n\n" }
    let list = try HashBlocklist(text: Array(text.dropLast(2).utf8), name: "l")
    #expect(list.count == 600)
    for digest in long + short {
      #expect(list.contains(digest) && list.contains(hex: Self.hex(digest)))
      var other = digest
      other[random.integer(below: other.count)] ^= 1
      #expect(!list.contains(other))
    }
    #expect(!list.contains(Array(long[0].prefix(16))) && !list.contains([]))
    #expect(!list.contains(hex: "xyz") && !HashBlocklist().contains(long[0]))
  }

  @Test(
    "a bad line is an error with its number",
    arguments: ["xyz", String(repeating: "a", count: 63), String(repeating: "g", count: 64), "a b"])
  func bad(line: String) {
    let good = String(repeating: "0f", count: 32)
    let error = CrawlPolicyError(.digest(line), list: "l", line: 3)
    #expect(throws: error) {
      try HashBlocklist(text: Array("\(good)\n#\n\(line)\n\(good)".utf8), name: "l")
    }
  }

  @Test("150,000 digests from a file, over its pieces' borders, equal a Set's answers")
  func file() throws {
    var random = RandomStream(seed: 22)
    let digests = (0..<150_000).map { index in
      // Some share their first 16 bits, and some come twice.
      Self.digest(&random, 32).enumerated().map { index % 3 == 0 && $0 < 2 ? 7 : $1 }
    }
    let path = FileManager.default.temporaryDirectory.path + "/digests-\(UUID().uuidString)"
    let lines = (digests + digests.prefix(1_000)).map(Self.hex).joined(separator: "\n")
    try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let list = try HashBlocklist(path: path)
    #expect(list.count == 151_000)
    let known = Set(digests)
    for digest in digests { #expect(list.contains(digest)) }
    for _ in 0..<20_000 {
      let digest = Self.digest(&random, 32)
      #expect(list.contains(digest) == known.contains(digest))
    }
    let error = #expect(throws: CrawlPolicyError.self) { try HashBlocklist(path: path + ".none") }
    #expect(error?.list == path + ".none")
  }

  /// Needs half a minute and 1.04 GB of disk: PAIRLOOM_LARGE=1.
  @Test(
    "16 million digests take at most 600 MB",
    .enabled(if: ProcessInfo.processInfo.environment["PAIRLOOM_LARGE"] != nil))
  func large() throws {
    let path = FileManager.default.temporaryDirectory.path + "/digests-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    let file = try #require(FileHandle(forWritingAtPath: path))
    let digits = Array("0123456789abcdef".utf8)
    var random = RandomStream(seed: 23)
    var last: [UInt8] = []
    for _ in 0..<1_600 {
      var text: [UInt8] = []
      for _ in 0..<10_000 {
        last = (0..<4).flatMap { _ in
          let word = random.next()
          return (0..<16).map { digits[Int(word >> (60 - 4 * UInt64($0)) & 15)] }
        }
        text += last + [10]
      }
      try file.write(contentsOf: Data(text))
    }
    try file.close()
    let before = try Self.peakKilobytes()
    let list = try HashBlocklist(path: path)
    #expect(list.count == 16_000_000 && list.contains(hex: String(decoding: last, as: UTF8.self)))
    #expect(try Self.peakKilobytes() - before < 600_000)
  }

  static func peakKilobytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
    return try #require(Int(line.filter(\.isNumber)))
  }
}
