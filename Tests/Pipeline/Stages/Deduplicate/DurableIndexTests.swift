import CaptionMatching
import DeduplicateStage
import Deduplication
import DurableFiles
import Foundation
import PictureIndex
import PipelineCore
import SegmentFile
import Testing

/// The files of the indexes are gone on with where they fit the tables, and made again where they do not.
///
/// A file that is made again is another one, by its number in the file system.
@Suite struct DurableIndexTests {
  static let chunkCount = 24
  static let files = ["pictures.index", "pairs.index", "captions.index"]

  /// Bytes and captions of which many come again, in chunks of twelve rows.
  static func makeRun() throws -> RunFolder {
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    let folder = try DeduplicateStageTests.makeRun(
      (0..<chunkCount).map { chunk in
        String((0..<12).map { letters[(chunk * 5 + $0 * $0) % letters.count] })
      })
    for chunk in 0..<chunkCount {
      let rows = chunk * 12..<chunk * 12 + 12
      try JSONLines.write(
        rows.map { row in
          // Equal, near, and unlike any other, by turns.
          let caption =
            switch row % 3 {
            case 0: "caption \(row % 7)"
            case 1: "a small red boat on a very calm lake in the far north by day \(row)"
            default: "\(row) \(row * row) \(row * 31 % 97) and nothing else of \(row * 7)"
            }
          return PairCandidate(row: row, uid: "u\(row)", url: "", caption: caption).json
        }, to: folder.chunkTable(chunk))
    }
    return folder
  }

  static func rules() -> DuplicateRules {
    var rules = DuplicateRules(kind: .exact)
    (rules.scope, rules.captionLimit, rules.captionSimilarity) = (.pair, 1, 0.8)
    return rules
  }

  /// The numbers of the files, which change where they are made again.
  ///
  /// Each file gets a second name, so that its number is not given to another when the first is removed.
  static func numbers(_ folder: RunFolder) throws -> [UInt64] {
    try files.map { file in
      let path = "\(folder.duplicates)/\(file)"
      try FileManager.default.linkItem(
        atPath: path, toPath: "\(folder.path)/\(file)-\(UUID().uuidString)")
      let facts = try FileManager.default.attributesOfItem(atPath: path)
      return try #require(facts[.systemFileNumber] as? UInt64)
    }
  }

  static func tables(_ folder: RunFolder) throws -> [[UInt8]] {
    try (0..<chunkCount).map { try DurableFile.read(folder.verdictTable($0)) }
  }

  @Test("each stage goes on from the files that another has written, and goes back in them")
  func used() async throws {
    let folder = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await IndexTests.judge(folder, 0..<1, Self.rules())
    let made = try Self.numbers(folder)
    for chunk in 1..<Self.chunkCount {
      try await IndexTests.judge(folder, chunk..<chunk + 1, Self.rules())
      #expect(try Self.numbers(folder) == made, "chunk \(chunk)")
    }
    let whole = try Self.tables(folder)
    let reasons = Set(
      try (0..<Self.chunkCount).flatMap {
        try PairTable.read(folder.verdictTable($0), as: Verdict.init).compactMap(\.drop?.reason)
      })
    #expect(reasons == [.duplicateBytes, .captionLimit, .duplicateCaption])
    // The last batches can be taken back, and are.
    for first in [Self.chunkCount - 1, Self.chunkCount - 3] {
      try await IndexTests.judge(folder, first..<first + 1, Self.rules())
      #expect(try Self.numbers(folder) == made, "back to \(first)")
      #expect(try Self.tables(folder) == whole)
    }
    // Of earlier ones the captions have been merged, or nobody has noted what there was.
    try await IndexTests.judge(folder, 2..<3, Self.rules())
    let again = try Self.numbers(folder)
    #expect(zip(again, made).allSatisfy { $0 != $1 })
    try await IndexTests.judge(folder, 3..<Self.chunkCount, Self.rules())
    #expect(try Self.numbers(folder) == again)
    #expect(try Self.tables(folder) == whole)
  }

  /// Makes one file of the indexes unfit.
  static func spoil(_ file: String, _ how: String) throws {
    switch how {
    case "gone": try DurableFile.remove(file)
    case "cut": try DurableFile.write(Array(try DurableFile.read(file).dropLast(200)), to: file)
    case "flipped":
      var bytes = try DurableFile.read(file)
      for index in bytes.indices.dropFirst(256) where index % 64 == 5 { bytes[index] ^= 1 }
      try DurableFile.write(bytes, to: file)
    case "other similarity":
      try DurableFile.remove(file)
      try CaptionIndex(file, similarity: 0.5, isWritable: true)
        .append([.init(row: 0, caption: "one of another kind")], batch: 0)
    case "no segment":
      // Sound as a file, but not as an index.
      let magic = Array(try DurableFile.read(file).prefix(8))
      try DurableFile.remove(file)
      try SegmentFile(file, magic: magic, isWritable: true)
        .append([.init(kind: 9, batches: 0...0, bytes: [1, 2, 3])])
    default: Issue.record("\(how)")
    }
  }

  @Test(
    "a file that is gone, damaged or of another kind is made again, and says the same",
    arguments: [
      ("pictures.index", "gone"), ("pictures.index", "flipped"), ("pictures.index", "no segment"),
      ("pairs.index", "cut"), ("captions.index", "gone"), ("captions.index", "cut"),
      ("captions.index", "other similarity"), ("captions.index", "no segment"),
    ])
  func spoilt(file: String, how: String) async throws {
    let folder = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let count = Self.chunkCount
    try await IndexTests.judge(folder, 0..<count, Self.rules())
    let whole = try Self.tables(folder)
    try Self.spoil("\(folder.duplicates)/\(file)", how)
    let before = try how == "gone" ? [] : Self.numbers(folder)
    try await IndexTests.judge(folder, count - 2..<count, Self.rules())
    #expect(try Self.tables(folder) == whole)
    #expect(zip(try Self.numbers(folder), before).allSatisfy { $0 != $1 })
    let captions = try CaptionIndex(
      "\(folder.duplicates)/captions.index", similarity: 0.8, isWritable: false)
    #expect(captions.lastBatch == count - 1)
    let pictures = try PictureIndex("\(folder.duplicates)/pictures.index", isWritable: false)
    #expect(pictures.lastBatch == count - 1)
    try pictures.verify()
  }

  @Test("a file that another handle writes to is left to it, and nothing is decided meanwhile")
  func inUse() async throws {
    let folder = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await IndexTests.judge(folder, 0..<2, Self.rules())
    let made = try Self.numbers(folder)
    // Whoever goes around the folder's lock.
    let other = try PictureIndex("\(folder.duplicates)/pictures.index", isWritable: true)
    let error = await #expect(throws: SegmentFileError.self) {
      try await IndexTests.judge(folder, 2..<3, Self.rules())
    }
    #expect(error?.reason == .inUse)
    #expect(!DurableFile.exists(folder.verdictTable(2)))
    #expect(try Self.numbers(folder) == made)
    withExtendedLifetime(other) {}
  }

  @Test("a stage that goes on notices that a table which it has seen is another one now")
  func changed() async throws {
    let folder = try DeduplicateStageTests.makeRun(["ab", "c", "ba"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let context = StageContext(folder: folder) { _ in [] }
    let stage = DeduplicateStage(rules: DuplicateRules())
    for chunk in 0..<3 {
      _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
    }
    #expect(try DeduplicateStageTests.survivors(folder, 2) == [1, 0])
    var first = try PairTable.read(folder.verdictTable(0), as: Verdict.init)
    first[1].drop = Drop(.forgotten)
    try PairTable.write(first.map(\.json), columns: Verdict.columns, to: folder.verdictTable(0))
    // With its pictures, so that they can be kept now.
    try DurableFile.write([0], to: folder.decodedBytes(2))
    _ = try await stage.run(Chunk(number: 2, attempt: 2), in: context)
    #expect(try DeduplicateStageTests.survivors(folder, 2) == [nil, 0])
  }

  @Test("no file is held open for writing between jobs")
  func released() async throws {
    let folder = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let context = StageContext(folder: folder) { _ in [] }
    let stage = DeduplicateStage(rules: Self.rules())
    for chunk in 0..<3 {
      _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
      _ = try PictureIndex("\(folder.duplicates)/pictures.index", isWritable: true)
      _ = try PictureIndex("\(folder.duplicates)/pairs.index", isWritable: true)
      _ = try CaptionIndex(
        "\(folder.duplicates)/captions.index", similarity: 0.8, isWritable: true)
    }
  }
}
