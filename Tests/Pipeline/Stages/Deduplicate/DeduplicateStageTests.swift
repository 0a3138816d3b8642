import ContentHashing
import DeduplicateStage
import Deduplication
import DurableFiles
import Foundation
import PipelineCore
import Testing

@Suite struct DeduplicateStageTests {
  /// Writes decoded tables, one per chunk: a letter is a picture's bytes, a dot a dropped row.
  static func makeRun(_ chunks: [String]) throws -> RunFolder {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/dedup-" + UUID().uuidString)
    try folder.make()
    var row = 0
    for (number, letters) in chunks.enumerated() {
      let first = row
      let rows = letters.map { letter in
        defer { row += 1 }
        return DecodedRow(
          row: row, sha256: digest(letter), drop: letter == "." ? Drop(.corrupt) : nil,
          bytes: letter == "." ? nil : ByteRange(offset: 0, length: 1))
      }
      try PairTable.write(
        rows.map(\.json), columns: DecodedRow.columns, to: folder.decodedTable(number))
      try writeList(first..<row, number, in: folder)
    }
    return folder
  }

  static func digest(_ letter: Character) -> String {
    ContentHash.sha256Hex(Array(String(letter).utf8))
  }

  static func writeList(
    _ rows: Range<Int>, _ chunk: Int, in folder: RunFolder, forgotten: Int? = nil
  ) throws {
    try JSONLines.write(
      rows.map { row in
        var candidate = PairCandidate(row: row, uid: "u\(row)", url: "", caption: "")
        candidate.isForgotten = row == forgotten
        return candidate.json
      }, to: folder.chunkTable(chunk))
  }

  static func survivors(_ folder: RunFolder, _ chunk: Int) throws -> [Int?] {
    try PairTable.read(folder.verdictTable(chunk), as: Verdict.init).map(\.drop?.survivor)
  }

  @Test("the first row wins across chunks, and duplicates name it")
  func firstWins() async throws {
    let folder = try Self.makeRun(["ab.a", "", "cba", "cd"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = DeduplicateStage(rules: DuplicateRules())
    let context = StageContext(folder: folder) { _ in [] }
    var reports: [StageReport] = []
    for chunk in 0..<4 {
      reports.append(try await stage.run(Chunk(number: chunk, attempt: 1), in: context))
    }
    #expect(try Self.survivors(folder, 0) == [nil, nil, 0])
    #expect(try Self.survivors(folder, 1) == [])
    #expect(try Self.survivors(folder, 2) == [nil, 1, 0])
    #expect(try Self.survivors(folder, 3) == [4, nil])
    #expect(reports.map(\.input) == [3, 0, 3, 2])
    #expect(reports.map(\.kept) == [2, 0, 1, 1])
  }

  @Test("a new process, a repeated and an earlier chunk give the same bytes")
  func repeats() async throws {
    let folder = try Self.makeRun(["ab", "bc", "cda", "ad"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let context = StageContext(folder: folder) { _ in [] }
    let first = DeduplicateStage(rules: DuplicateRules())
    for chunk in 0..<4 { _ = try await first.run(Chunk(number: chunk, attempt: 1), in: context) }
    let once = try (0..<4).map { try DurableFile.read(folder.verdictTable($0)) }
    // A stage that has indexed everything goes back; a fresh one begins in the middle.
    for (stage, chunk) in [
      (first, 1), (DeduplicateStage(rules: DuplicateRules()), 2), (first, 3), (first, 0),
    ] {
      _ = try await stage.run(Chunk(number: chunk, attempt: 2), in: context)
    }
    #expect(try (0..<4).map { try DurableFile.read(folder.verdictTable($0)) } == once)
  }

  @Test("a chunk without verdicts kept nothing; `off` keeps everything")
  func missing() async throws {
    let folder = try Self.makeRun(["a", "a", "a"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let context = StageContext(folder: folder) { _ in [] }
    let stage = DeduplicateStage(rules: DuplicateRules())
    for chunk in [1, 2] { _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context) }
    #expect(try Self.survivors(folder, 1) == [nil])
    #expect(try Self.survivors(folder, 2) == [1])
    let off = DeduplicateStage(rules: DuplicateRules(kind: .off))
    let report = try await off.run(Chunk(number: 2, attempt: 1), in: context)
    #expect(report.kept == 1)
  }

  @Test("a row that was taken out is dropped, and its picture keeps its duplicates out")
  func forgotten() async throws {
    let folder = try Self.makeRun(["ab", "acb"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    for (chunk, rows) in [(0, 0..<2), (1, 2..<5)] {
      try Self.writeList(rows, chunk, in: folder, forgotten: 3)
    }
    var pairs = ForgottenPairs()
    pairs.add(
      try ForgetRequest(.url, "http://a.test/"), at: 0, uids: ["u0"],
      pictures: [.init(row: 0, sha256: Self.digest("a"))])
    try pairs.write(to: folder)
    let context = StageContext(folder: folder) { _ in [] }
    let stage = DeduplicateStage(rules: DuplicateRules())
    for chunk in 0..<2 { _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context) }
    let verdicts = try (0..<2).flatMap {
      try PairTable.read(folder.verdictTable($0), as: Verdict.init)
    }
    // By its uid; kept; a duplicate of the first; by its tombstone; a duplicate of the second.
    #expect(
      verdicts.map(\.drop?.reason) == [
        .forgotten, nil, .duplicateBytes, .forgotten, .duplicateBytes,
      ])
    #expect(verdicts.map(\.drop?.survivor) == [nil, nil, 0, nil, 1])
    // The digest of what is gone is not written down again.
    #expect(verdicts[0].sha256 == String(repeating: "0", count: 64))
    // Where duplicates are kept, they are other pairs.
    let off = DeduplicateStage(rules: DuplicateRules(kind: .off))
    #expect(try await off.run(Chunk(number: 1, attempt: 1), in: context).kept == 2)
  }
}
