import DeduplicateStage
import Deduplication
import DurableFiles
import Foundation
import PipelineCore
import Synchronization
import Testing

/// What a plan of all chunks costs each of them, by counting.
@Suite struct PlanCostTests {
  /// How often the ledger was asked for all reports of a stage.
  private final class Questions: Sendable {
    let count = Mutex(0)
  }

  /// A run whose decodes have all settled, some `givenUp`.
  private static func context(
    _ folder: RunFolder, chunks: Int, givenUp: Set<Int> = [], _ questions: Questions
  ) -> StageContext {
    var context = StageContext(folder: folder) { stage in
      questions.count.withLock { $0 += 1 }
      switch stage {
      case .ingest:
        return [
          (0, StageReport(input: 0, kept: 0, facts: [RunGenerations.chunksFact: chunks]))
        ]
      default:
        return (0..<chunks).filter { !givenUp.contains($0) }
          .map { ($0, StageReport(input: 0, kept: 0)) }
      }
    }
    context.givenUp = { $0 == .decode ? givenUp : [] }
    context.settled = { _ in
      SettledJobs(completed: chunks - givenUp.count, givenUp: givenUp.count)
    }
    return context
  }

  static func best() -> DuplicateRules {
    var rules = DuplicateRules(kind: .exact)
    (rules.keep, rules.bestColumn) = (.best, "score")
    return rules
  }

  static func letters(_ chunks: Int) -> [String] {
    (0..<chunks).map { chunk in String("abcdefghijklmnopqrst".dropFirst(chunk % 17).prefix(4)) }
  }

  @Test("a chunk looks at as many files, and asks as much, however many chunks there are")
  func linear() async throws {
    var last: [Int] = []
    for chunks in [8, 64] {
      let folder = try DeduplicateStageTests.makeRun(Self.letters(chunks))
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let questions = Questions()
      let context = Self.context(folder, chunks: chunks, questions)
      let stage = DeduplicateStage(rules: Self.best())
      var looks: [Int] = []
      for chunk in 0..<chunks {
        let before = await stage.filesLookedAt
        _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
        looks.append(await stage.filesLookedAt - before)
      }
      // The first looks at all.
      #expect(looks[0] > 2 * chunks)
      #expect(Set(looks.dropFirst(2)).count == 1, "\(looks)")
      last.append(looks[chunks - 1])
      #expect(questions.count.withLock { $0 } == 2)
    }
    #expect(last[0] == last[1] && last[0] < 10, "\(last)")
  }

  @Test("processes that take turns look at what the others have done, and at no more")
  func shared() async throws {
    let folder = try DeduplicateStageTests.makeRun(Self.letters(64))
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let context = Self.context(folder, chunks: 64, Questions())
    let stages = (0..<3).map { _ in DeduplicateStage(rules: Self.best()) }
    var looks: [Int] = []
    for chunk in 0..<64 {
      let stage = stages[chunk % 3]
      let before = await stage.filesLookedAt
      _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
      looks.append(await stage.filesLookedAt - before)
    }
    // Each has begun by then.
    #expect((looks.dropFirst(6).max() ?? 0) < 12, "\(looks)")
  }

  @Test(
    "a plan that was seen is made again when a table or the note has changed, and as by a new process",
    arguments: ["decoded", "note", "forgotten", "givenUp"])
  func changed(what: String) async throws {
    let chunks = Self.letters(12)
    let folder = try DeduplicateStageTests.makeRun(chunks)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = DeduplicateStage(rules: Self.best())
    var context = Self.context(folder, chunks: 12, Questions())
    for chunk in 0..<6 { _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context) }
    switch what {
    case "decoded":
      // One picture is another one now, which nobody else has.
      var rows = try PairTable.read(folder.decodedTable(6), as: DecodedRow.init)
      rows[0].sha256 = DeduplicateStageTests.digest("!")
      try PairTable.write(
        rows.map(\.json), columns: DecodedRow.columns, to: folder.decodedTable(6))
    case "note": try DurableFile.remove(folder.duplicates + "/plan/plan.json")
    case "forgotten":
      var pairs = ForgottenPairs()
      pairs.add(
        try ForgetRequest(.uid, "u25"), at: 0, uids: ["u25"],
        pictures: [.init(row: 25, sha256: DeduplicateStageTests.digest(Array(chunks[6])[1]))])
      try pairs.write(to: folder)
    default:
      try FileManager.default.removeItem(atPath: folder.decodedTable(11))
      context = Self.context(folder, chunks: 12, givenUp: [11], Questions())
    }
    let copy = RunFolder(folder.path + "-copy")
    try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
    defer { try? FileManager.default.removeItem(atPath: copy.path) }
    var elsewhere = context
    elsewhere.folder = copy
    let fresh = DeduplicateStage(rules: Self.best())
    for chunk in 6..<11 {
      let before = await stage.filesLookedAt
      _ = try await stage.run(Chunk(number: chunk, attempt: 1), in: context)
      // It is made again at once, and once.
      let looks = await stage.filesLookedAt - before
      #expect((looks > 20) == (chunk == 6), "chunk \(chunk): \(looks)")
      _ = try await fresh.run(Chunk(number: chunk, attempt: 1), in: elsewhere)
      let (found, expected) = (folder.verdictTable(chunk), copy.verdictTable(chunk))
      #expect(try DurableFile.read(found) == DurableFile.read(expected), "chunk \(chunk)")
    }
    if what == "decoded" {
      #expect(try DeduplicateStageTests.survivors(folder, 6).first == .some(nil))
    }
  }
}
