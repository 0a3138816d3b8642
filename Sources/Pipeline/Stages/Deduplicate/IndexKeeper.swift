import CaptionMatching
import Deduplication
import DurableFiles
import PictureIndex
import PipelineCore
import SegmentFile

/// Brings the indexes of a run to what its tables say.
///
/// They lie in `duplicates/`. Where a process that was stopped has them, another works with its own, in a
/// folder beside, made from the tables.
final class IndexKeeper {
  private let rules: DuplicateRules
  private let threads: Int
  private let run: RunFolder
  private let references: DuplicateReferences
  let folder: String
  private let tables: TableStamps
  private var marks: IndexMarks
  /// As they are in the folder.
  private var written: IndexMarks

  /// Works in `folder`, which nobody else uses meanwhile.
  init(
    _ rules: DuplicateRules, threads: Int, _ run: RunFolder, folder: String,
    _ references: DuplicateReferences, _ tables: TableStamps
  ) throws {
    self.rules = rules
    self.threads = threads
    self.run = run
    self.folder = folder
    self.references = references
    self.tables = tables
    try DurableFile.makeFolder(folder)
    marks = try IndexMarks(folder, rules)
    written = marks
  }

  /// A judge who knows what the chunks before `chunk` have kept, and nothing else: a later one must not
  /// speak.
  ///
  /// Chunks that were given up kept nothing, whatever tables they have.
  func judge(
    before chunk: Int, without givenUp: Set<Int>, _ forgotten: ForgottenPairs
  ) throws -> DuplicateJudge {
    let stamps = try stamps(before: chunk, without: givenUp)
    var (judge, next) = try known(before: chunk, stamps)
    while next < chunk {
      try Task.checkCancellation()
      if isJudged(next, without: givenUp) {
        try judge.restore(try kept(by: next, forgotten), batch: next)
      }
      next += 1
      // Restored by thousands: a kill on the way loses little.
      if next.isMultiple(of: Self.stride) { try mark(judge, next - 1, stamps[next - 1]) }
    }
    if chunk > 0 { try mark(judge, chunk - 1, stamps[chunk - 1]) }
    judge.taken = { forgotten.row(ofPicture: $0) }
    return judge
  }

  private static let stride = 1_000

  /// Notes that a chunk's kept pairs are in the indexes, and its table published.
  func published(_ chunk: Int, _ judge: DuplicateJudge) throws {
    guard let stamps = tables.upTo(chunk, table: run.verdictTable(chunk)) else { return }
    try mark(judge, chunk, stamps)
  }

  /// Removes a folder of indexes.
  static func remove(_ folder: String) throws {
    for name in try DurableFile.names(in: folder) { try DurableFile.remove("\(folder)/\(name)") }
    try DurableFile.removeFolder(folder)
  }

  private func open() throws -> DuplicateJudge {
    try DuplicateJudge(rules, folder: folder, threads: threads, references: references)
  }

  private func known(
    before chunk: Int, _ stamps: [String]
  ) throws -> (DuplicateJudge, next: Int) {
    if let mark = marks.last(before: chunk, stamps), let judge = try judge(as: mark) {
      try goBack(to: mark.chunk)
      return (judge, mark.chunk + 1)
    }
    try goBack(to: nil)
    try DuplicateJudge.empty(folder)
    return (try open(), 0)
  }

  /// The judge whose indexes hold what a mark says; nil where they must be made again.
  ///
  /// - Throws: What making them again would not mend: another process has them, which it must not
  ///   without the folder's lock, or the system refuses.
  private func judge(as mark: IndexMarks.Mark) throws -> DuplicateJudge? {
    do {
      let judge = try open()
      guard try judge.rewind(to: mark.chunk + 1), judge.isEven, judge.count == mark.count,
        judge.contentHash == mark.hash
      else { return nil }
      return judge
    } catch let error as SegmentFileError {
      if error.reason == .inUse { throw error }
      return nil
    } catch is PictureIndexError {
      return nil
    } catch is CaptionIndexError {
      return nil
    }
  }

  /// Notes what the indexes hold, before the table that they follow from is published or after.
  private func mark(_ judge: DuplicateJudge, _ chunk: Int, _ stamps: String) throws {
    marks.add(
      IndexMarks.Mark(
        chunk: chunk, count: judge.count, hash: judge.contentHash, stamps: stamps))
    try writeMarks()
  }

  /// Before a table is published that those after the chunk do not know: see ``TableStamps``.
  private func goBack(to chunk: Int?) throws {
    marks.goBack(to: chunk)
    try writeMarks()
  }

  private func writeMarks() throws {
    guard marks != written else { return }
    try marks.write(to: folder)
    written = marks
  }

  private func isJudged(_ chunk: Int, without givenUp: Set<Int>) -> Bool {
    !givenUp.contains(chunk) && DurableFile.exists(run.verdictTable(chunk))
  }

  private func stamps(before chunk: Int, without givenUp: Set<Int>) throws -> [String] {
    // Where a plan decides, the indexes are for later runs, and ``DeduplicateStage/complete(chunks:in:)`` looks at
    // all once more. Who works in a folder of its own notes nothing here.
    let looksAtAll =
      try !rules.needsAll || folder != run.duplicates
      || DurableFile.names(in: folder).contains { RunFolder.isSpareIndexes($0) }
    // A quarantined chunk kept nothing; it has no verdicts, or those of an earlier doing.
    return tables.upToEach(
      of: chunk, without: givenUp, looksAtAll ? [] : marks.marks, table: run.verdictTable)
  }

  private func kept(by chunk: Int, _ forgotten: ForgottenPairs) throws -> [JudgedPair] {
    let rows = Set(
      try PairTable.read(run.verdictTable(chunk), as: Verdict.init).filter { $0.drop == nil }
        .map(\.row))
    return try ChunkPairs(chunk, in: run, rules, forgotten).pairs.filter { rows.contains($0.row) }
  }
}
