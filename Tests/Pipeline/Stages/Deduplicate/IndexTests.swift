import DeduplicateStage
import Deduplication
import DurableFiles
import Foundation
import Glibc
import PipelineCore
import Testing

/// The indexes follow from the tables, whatever becomes of their files.
@Suite struct IndexTests {
  static let chunks = ["abca", "cdae", "", "efbg", "ghai"]

  /// What became of each row: its survivor, or nil.
  static func judge(_ folder: RunFolder, _ chunks: some Sequence<Int>, _ rules: DuplicateRules)
    async throws
  {
    let context = StageContext(folder: folder) { _ in [] }
    for chunk in chunks {
      // A process of its own for each.
      let stage = DeduplicateStage(rules: rules)
      _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
    }
  }

  static func tables(_ folder: RunFolder) throws -> [[UInt8]] {
    try chunks.indices.map { try DurableFile.read(folder.verdictTable($0)) }
  }

  static func rules() -> DuplicateRules {
    var rules = DuplicateRules(kind: .near)
    rules.captionLimit = 100
    return rules
  }

  @Test(
    "indexes that are gone, damaged, ahead, behind or another run's change no verdict",
    arguments: ["gone", "cut", "noise", "state", "ahead", "others", "empty"])
  func damaged(how: String) async throws {
    let folder = try DeduplicateStageTests.makeRun(Self.chunks)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await Self.judge(folder, 0..<5, Self.rules())
    let whole = try Self.tables(folder)
    let place = folder.duplicates
    let files = try DurableFile.names(in: place).filter { $0.hasSuffix(".index") }
    switch how {
    case "gone": try FileManager.default.removeItem(atPath: place)
    case "state": try DurableFile.write("{", to: place + "/state.json")
    case "ahead": break
    case "others":
      let other = try DeduplicateStageTests.makeRun(["zyxwv"])
      try await Self.judge(other, 0..<1, Self.rules())
      try FileManager.default.removeItem(atPath: place)
      try FileManager.default.copyItem(atPath: other.duplicates, toPath: place)
      try FileManager.default.removeItem(atPath: other.path)
    default:
      for file in files {
        var bytes = try DurableFile.read("\(place)/\(file)")
        switch how {
        case "cut": bytes = Array(bytes.dropLast(bytes.count / 3 + 1))
        case "noise": for index in bytes.indices where index % 7 == 3 { bytes[index] ^= 0x55 }
        default: bytes = []
        }
        try DurableFile.write(bytes, to: "\(place)/\(file)")
      }
    }
    try await Self.judge(folder, 3..<5, Self.rules())
    #expect(try Self.tables(folder) == whole)
  }

  @Test("a table that was changed counts, not what the indexes remember of it")
  func changed() async throws {
    let folder = try DeduplicateStageTests.makeRun(["ab", "ca", "bc"])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await Self.judge(folder, 0..<3, DuplicateRules())
    #expect(try DeduplicateStageTests.survivors(folder, 2) == [1, 2])
    var first = try PairTable.read(folder.verdictTable(0), as: Verdict.init)
    first[1].drop = Drop(.forgotten)
    try PairTable.write(first.map(\.json), columns: Verdict.columns, to: folder.verdictTable(0))
    // Without its pictures what was dropped stays so, for there would be nothing to keep.
    try await Self.judge(folder, 2..<3, DuplicateRules())
    #expect(try DeduplicateStageTests.survivors(folder, 2) == [1, 2])
    try DurableFile.write([0], to: folder.decodedBytes(2))
    try await Self.judge(folder, 2..<3, DuplicateRules())
    #expect(try DeduplicateStageTests.survivors(folder, 2) == [nil, 2])
  }

  @Test("while a process that was stopped has the indexes, another goes by its own")
  func locked() async throws {
    let folder = try DeduplicateStageTests.makeRun(Self.chunks)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await Self.judge(folder, 0..<5, Self.rules())
    let whole = try Self.tables(folder)
    let file = open(folder.duplicates + "/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
    let stage = DeduplicateStage(rules: Self.rules(), patience: 50)
    let context = StageContext(folder: folder) { _ in [] }
    for chunk in 2..<5 { _ = try await stage.run(Chunk(number: chunk, attempt: 2), in: context) }
    #expect(try Self.tables(folder) == whole)
    #expect(DurableFile.exists("\(folder.duplicates)/spare-\(getpid())"))
    #expect(try await !stage.complete(chunks: 5, in: context))
    close(file)
    // Who has them again completes them, and clears up.
    #expect(try await stage.complete(chunks: 5, in: context))
    #expect(!DurableFile.exists("\(folder.duplicates)/spare-\(getpid())"))
  }

  @Test(
    "an attempt whose lease is lost publishes nothing, and leaves nothing in the indexes that counts"
  )
  func stale() async throws {
    struct LeaseLost: Error {}
    let folder = try DeduplicateStageTests.makeRun(Self.chunks)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try await Self.judge(folder, 0..<2, Self.rules())
    var context = StageContext(folder: folder) { _ in [] }
    context.requireLease = { throw LeaseLost() }
    let late = context
    await #expect(throws: LeaseLost.self) {
      try await DeduplicateStage(rules: Self.rules()).run(Chunk(number: 3, attempt: 1), in: late)
    }
    #expect(!DurableFile.exists(folder.verdictTable(3)))
    try await Self.judge(folder, 2..<5, Self.rules())
    let whole = try Self.tables(folder)
    let fresh = try DeduplicateStageTests.makeRun(Self.chunks)
    defer { try? FileManager.default.removeItem(atPath: fresh.path) }
    try await Self.judge(fresh, 0..<5, Self.rules())
    #expect(try Self.tables(fresh) == whole)
  }

  @Test("a table of before there were matches is read")
  func old() throws {
    let folder = try DeduplicateStageTests.makeRun([])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let columns = Verdict.columns.filter { column in
      !DuplicateMatch.columns.contains { $0.name == column.name }
    }
    let verdicts = [
      Verdict(row: 1, sha256: "a"),
      Verdict(row: 2, sha256: "a", drop: Drop(.duplicateBytes, survivor: 1)),
    ]
    try PairTable.write(verdicts.map(\.json), columns: columns, to: folder.verdictTable(0))
    #expect(try PairTable.read(folder.verdictTable(0), as: Verdict.init) == verdicts)
  }
}
