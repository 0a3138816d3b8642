public import DecodeStage
public import Deduplication
import DurableFiles
import Glibc
public import PipelineCore
import WorkerThreads

/// Drops pairs that an earlier row has, by bytes, looks or caption, and those that must not be there.
///
/// The first row of the list wins, whatever the timing: the ledger runs chunk k after chunk k − 1
/// has settled. Reads `decoded/NNNNN.parquet` and `chunks/NNNNN.jsonl`, writes
/// `deduplicated/NNNNN.parquet` with a verdict for every decoded picture, which names the survivor of a
/// duplicate and how far it is. What was kept is in the indexes of `duplicates/`, which are appended to
/// before the table is published and follow from the tables: where they do not fit them they are taken
/// back or made again (``IndexKeeper``). Memory: a chunk.
///
/// Where every picture must be there first (`keep: best`, `placeholders`), the jobs of a generation
/// wait for all its decodes; the first plans for all chunks (``GenerationPlan``), and each takes its part.
///
/// A picture that `pairloom forget` took out still counts as the first of its bytes, so that doing a
/// chunk again keeps none of its copies; and its row is dropped, whatever the decoded table says.
///
/// A chunk that was given up and handed back speaks late: later chunks have verdicts already. Those
/// that judge a pair like one of its own are done again, and no others. What an earlier verdict has
/// dropped stays so there once its picture is gone, though what it was like is now dropped itself.
public actor DeduplicateStage: Stage {
  public nonisolated let name = StageName.deduplicate
  public nonisolated let lane = Lane.compute
  private let executor = BlockingExecutor(label: "pairloom.deduplicate")
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  private let rules: DuplicateRules
  private let threads: Int
  private let evaluation: [EvaluationSet]?
  /// Milliseconds that another process may have the indexes before this one makes its own.
  private let patience: Int
  /// Whether another process had them for all of that the last time: it is not waited for again.
  private var wasRefused = false
  private var references: DuplicateReferences?
  private let looks: FileLooks
  private let tables: TableStamps
  private var seenPlan: SeenPlan?
  private let samples: SampleKeeper?
  /// Of each chunk that has none.
  private var sampleProblems: [String] = []

  /// - Parameters:
  ///   - rules: What counts.
  ///   - threads: Cores that a search uses.
  ///   - evaluation: The rules' evaluation sets, looked at; nil looks at them in this process.
  ///   - patience: Milliseconds for which another process is waited for.
  ///   - samples: Makes dropped pictures small, to be looked at when the run has ended; nil keeps none.
  public init(
    rules: DuplicateRules, threads: Int = 1, evaluation: [EvaluationSet]? = nil,
    patience: Int = 5_000, samples: ThumbnailMaker? = nil
  ) {
    self.rules = rules
    self.threads = threads
    self.evaluation = evaluation
    self.patience = patience
    self.samples = samples.map { SampleKeeper($0) }
    looks = FileLooks()
    tables = TableStamps(looks)
  }

  /// How often entries of files were looked at: it must grow with the chunks, not with their square.
  package var filesLookedAt: Int { looks.count }

  /// Why some chunks have no samples, in a sentence; nil where all have what they should.
  public var sampleProblem: String? { SampleKeeper.words(sampleProblems) }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let folder = run.folder
    let forgotten = try ForgottenPairs.read(folder)
    if rules.isIdle {
      let mine = try ChunkPairs(chunk.number, in: folder, rules, forgotten)
      let verdicts = mine.verdicts(mine.pairs.map { Verdict(row: $0.row, sha256: $0.sha256) })
      try await run.requireLease()
      let report = try Self.publish(verdicts, chunk.number, in: folder)
      // Of an earlier doing by other rules there may be some.
      try await sample(verdicts, chunk.number, in: folder)
      return report
    }
    let wasReleased = try await run.wasReleased(chunk.number)
    let givenUp = try await run.givenUp(.deduplicate)
    let before = wasReleased ? Self.kept(by: folder.verdictTable(chunk.number)) : []
    let (verdicts, kept) = try await judge(chunk.number, in: run, without: givenUp, forgotten)
    try await sample(verdicts, chunk.number, in: folder)
    // After the table: whoever is done again reads it.
    if wasReleased && !rules.needsAll {
      let earlier = try ChunkPairs(chunk.number, in: folder, rules, forgotten).pairs
        .filter { before.contains($0.row) }
      let chunks = try LateVerdicts(rules, folder, forgotten, threads: threads)
        .chunks(behind: chunk.number, judging: kept + earlier)
      if !chunks.isEmpty { try await run.redo(chunks) }
    }
    return Self.report(verdicts)
  }

  /// Judges a chunk and publishes its table; the indexes are this job's meanwhile.
  private func judge(
    _ chunk: Int, in run: StageContext, without givenUp: Set<Int>, _ forgotten: ForgottenPairs
  ) async throws -> ([Verdict], [JudgedPair]) {
    let folder = run.folder
    try DurableFile.makeFolder(folder.duplicates)
    let lock = try await FolderLock.wait(
      folder.duplicates, milliseconds: wasRefused ? 0 : patience)
    wasRefused = lock == nil
    defer { withExtendedLifetime(lock) {} }
    let place =
      lock == nil
      ? folder.spareIndexes(of: getpid()) : folder.duplicates
    let keeper = try IndexKeeper(
      rules, threads: threads, folder, folder: place, try opened(folder), tables)
    let mine = try ChunkPairs(chunk, in: folder, rules, forgotten)
    if rules.needsAll {
      let settled = try await run.settled(.decode)
      let isSeen =
        seenPlan?.holds(for: chunk, settled, without: givenUp, folder, looks) ?? false
      if !isSeen {
        seenPlan = try await GenerationPlan(
          of: chunk, in: run, rules, references: try opened(folder).identity, threads: threads,
          forgotten, looks
        ).makeIfNeeded(keeper, without: givenUp)
      }
    }
    let judge = try keeper.judge(before: chunk, without: givenUp, forgotten)
    let standing = Self.standing(chunk, in: folder)
    let decision: DuplicateJudge.Decision
    if rules.needsAll {
      decision = try GenerationPlan.decision(on: mine.pairs, chunk, in: folder, standing)
    } else {
      judge.standing = standing
      decision = try judge.decide(mine.pairs, batch: chunk)
    }
    // A late attempt must not judge by what an earlier state of the run was.
    try await run.requireLease()
    try judge.commit(decision)
    let verdicts = mine.verdicts(decision.verdicts)
    _ = try Self.publish(verdicts, chunk, in: folder)
    try keeper.published(chunk, judge)
    return (verdicts, decision.kept)
  }

  /// After the table is published, and before the job is done: the decoded bytes are still there.
  private func sample(_ verdicts: [Verdict], _ chunk: Int, in folder: RunFolder) async throws {
    if let problem = try await samples?.keep(verdicts, of: chunk, in: folder) {
      sampleProblems.append(problem)
    }
  }

  private func opened(_ folder: RunFolder) throws -> DuplicateReferences {
    if let references { return references }
    let new = try DuplicateReferences(rules, folder: folder.duplicates, evaluation: evaluation)
    references = new
    return new
  }

  /// Brings the indexes to what all chunks have kept, for runs that come after.
  ///
  /// - Parameters:
  ///   - chunks: How many there are.
  ///   - run: One at which nobody works but who calls this.
  /// - Returns: Whether they are; not while another process, which may be stopped, has them.
  /// - Throws: What the disk refuses, and what is wrong with the tables.
  public func complete(chunks: Int, in run: StageContext) async throws -> Bool {
    guard rules.comparesPictures, chunks > 0 else { return true }
    let folder = run.folder
    let givenUp = try await run.givenUp(.deduplicate)
    try DurableFile.makeFolder(folder.duplicates)
    guard let lock = try await FolderLock.wait(folder.duplicates, milliseconds: patience) else {
      return false
    }
    defer { withExtendedLifetime(lock) {} }
    // Made while another process had the indexes.
    for spare in try folder.abandonedIndexes() + [folder.spareIndexes(of: getpid())]
    where DurableFile.isFolder(spare) { try IndexKeeper.remove(spare) }
    let keeper = try IndexKeeper(
      rules, threads: threads, folder, folder: folder.duplicates, try opened(folder),
      TableStamps(looks))
    _ = try keeper.judge(before: chunks, without: givenUp, try ForgottenPairs.read(folder))
    return true
  }

  private static func publish(
    _ verdicts: [Verdict], _ chunk: Int, in folder: RunFolder
  ) throws -> StageReport {
    try PairTable.write(
      verdicts.map(\.json), columns: Verdict.columns, to: folder.verdictTable(chunk))
    return report(verdicts)
  }

  private static func report(_ verdicts: [Verdict]) -> StageReport {
    let drops = verdicts.compactMap(\.drop)
    return StageReport(
      input: verdicts.count, kept: verdicts.count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +))
  }

  /// The rows that a table of verdicts keeps; none where it is missing or damaged, as then no chunk
  /// after it could go by it.
  private static func kept(by table: String) -> Set<Int> {
    guard DurableFile.exists(table),
      let verdicts = try? PairTable.read(table, as: Verdict.init)
    else { return [] }
    return Set(verdicts.filter { $0.drop == nil }.map(\.row))
  }

  /// What an earlier doing of a chunk has dropped and could not be kept now: the pictures are gone with
  /// the shard that was written without them.
  static func standing(_ chunk: Int, in folder: RunFolder) -> [Int: Verdict] {
    guard !DurableFile.exists(folder.decodedBytes(chunk)),
      DurableFile.exists(folder.verdictTable(chunk)),
      let verdicts = try? PairTable.read(folder.verdictTable(chunk), as: Verdict.init)
    else { return [:] }
    return Dictionary(
      verdicts.filter { $0.drop != nil }.map { ($0.row, $0) },
      uniquingKeysWith: { first, _ in first })
  }
}
