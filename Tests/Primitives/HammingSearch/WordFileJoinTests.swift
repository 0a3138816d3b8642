import Foundation
import HammingSearch
import Testing

@Suite struct WordFileJoinTests {
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "pairloom-words-\(UUID().uuidString)").path
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer {
      do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
    }
    try body(path)
  }

  private func bytes(_ words: [UInt64]) -> [UInt8] {
    words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
  }

  @Test("a file's words are joined as those in memory", arguments: [0, 1, 5000, (1 << 17) + 3])
  func file(count: Int) throws {
    let words = JoinWords.planted.words(count, seed: 7)
    try withFile(bytes(words)) { path in
      let file = try WordFile(path: path)
      #expect(file.count == count)
      #expect(
        try HammingJoin.counts(in: file, radius: 3, threads: 2)
          == HammingJoin.counts(among: words, radius: 3, threads: 2))
    }
  }

  @Test("what is no file of words is refused with its length or the system's word")
  func refused() throws {
    try withFile([1, 2, 3]) { path in
      #expect(throws: WordFileError(path: path, reason: .notWhole(bytes: 3))) {
        try WordFile(path: path)
      }
    }
    #expect(throws: WordFileError(path: "/nowhere", reason: .system(errno: ENOENT))) {
      try WordFile(path: "/nowhere")
    }
  }

  @Test("a file that becomes shorter is an error, not a crash")
  func shrinks() throws {
    try withFile(bytes(JoinWords.random.words(100, seed: 8))) { path in
      let file = try WordFile(path: path)
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.truncate(atOffset: 80)
      try handle.close()
      #expect(throws: WordFileError(path: path, reason: .shrank(words: 10))) {
        try HammingJoin.counts(in: file, radius: 3, threads: 2)
      }
    }
  }
}
