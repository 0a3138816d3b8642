import DurableFiles
public import PipelineCore
import WorkerThreads

/// Drops pictures that an earlier row has, byte for byte.
///
/// The first row of the list wins, whatever the timing: the ledger runs chunk k after chunk k − 1
/// has settled. Reads `decoded/NNNNN.parquet`, writes `deduplicated/NNNNN.parquet` with a verdict for
/// every decoded picture, which names the surviving row of a duplicate. The index of what was kept is
/// rebuilt from the verdicts of earlier chunks and held in memory: some 100 bytes a picture.
///
/// A picture that `pairloom forget` took out still counts as the first of its kind, so that doing a
/// chunk again keeps none of its duplicates; and its row is dropped, whatever the decoded table says.
///
/// A chunk that was given up and handed back speaks late: later chunks have verdicts already. Those
/// that judge one of its pictures are done again, and no others.
public actor DeduplicateStage: Stage {
  public nonisolated let name = StageName.deduplicate
  public nonisolated let lane = Lane.compute
  private let executor = BlockingExecutor(label: "pairloom.deduplicate")
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  private let options: DeduplicateOptions
  /// The first row of every kept picture, by the SHA-256 of its bytes.
  private var kept: [String: Int] = [:]
  /// The chunks below this number are in `kept`.
  private var indexedChunks = 0

  public init(options: DeduplicateOptions) { self.options = options }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let folder = run.folder
    let wasReleased = options.kind == .exact ? try await run.wasReleased(chunk.number) : false
    let givenUp = options.kind == .exact ? try await run.givenUp(.deduplicate) : []
    // From here to the table nothing is awaited: the index is this chunk's.
    if options.kind == .exact { try index(before: chunk.number, without: givenUp, folder) }
    let decoded = try PairTable.read(folder.decodedTable(chunk.number), as: DecodedRow.init)
    let forgotten = try ForgottenPairs.read(folder)
    // Without requests no candidate was taken out.
    let taken =
      forgotten.isEmpty
      ? []
      : Set(
        forgotten.split(
          try JSONLines.read(folder.chunkTable(chunk.number), as: PairCandidate.init)
        ).taken.map(\.row))
    var mine: [String: Int] = [:]
    let verdicts = decoded.filter { $0.drop == nil }.map { picture in
      let hash = picture.sha256
      if taken.contains(picture.row) || forgotten.contains(sha256: hash) {
        return Verdict(row: picture.row, sha256: Self.noHash, drop: Drop(.forgotten))
      }
      let first =
        options.kind == .exact
        ? kept[hash] ?? forgotten.row(ofPicture: hash) ?? mine[hash] : nil
      if first == nil { mine[hash] = picture.row }
      return Verdict(
        row: picture.row, sha256: picture.sha256,
        drop: first.map { Drop(.duplicateBytes, survivor: $0) })
    }
    // With an earlier verdict on other bytes, which later chunks may have gone by.
    let spoken =
      wasReleased ? Set(mine.keys).union(Self.kept(by: folder.verdictTable(chunk.number))) : []
    // A late attempt must not judge by what an earlier state of the run was.
    try await run.requireLease()
    try PairTable.write(
      verdicts.map(\.json), columns: Verdict.columns, to: folder.verdictTable(chunk.number))
    // After the table: whoever is done again reads it.
    if !spoken.isEmpty {
      let chunks = try Self.chunks(behind: chunk.number, judging: spoken, in: folder)
      if !chunks.isEmpty { try await run.redo(chunks) }
    }
    let drops = verdicts.compactMap(\.drop)
    return StageReport(
      input: verdicts.count, kept: verdicts.count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +))
  }

  /// The pictures that a table of verdicts keeps; none where it is missing or damaged, as then no chunk
  /// after it could go by it.
  private static func kept(by table: String) -> [String] {
    guard DurableFile.exists(table),
      let verdicts = try? PairTable.read(table, as: Verdict.init)
    else { return [] }
    return verdicts.filter { $0.drop == nil }.map(\.sha256)
  }

  /// The chunks after `chunk` that have a verdict on one of these pictures.
  ///
  /// Cost: a pass over their tables.
  private static func chunks(
    behind chunk: Int, judging pictures: Set<String>, in folder: RunFolder
  ) throws -> [Int] {
    try DurableFile.names(in: folder.verdicts).compactMap { name in
      name.hasSuffix(".parquet") ? Int(name.dropLast(".parquet".count)) : nil
    }.filter { $0 > chunk }.sorted().filter { later in
      try PairTable.read(folder.verdictTable(later), as: Verdict.init)
        .contains { pictures.contains($0.sha256) }
    }
  }

  /// Stands for the digest of a picture that was taken out.
  private static let noHash = String(repeating: "0", count: 64)

  /// Brings the index up to the chunks before `chunk`, exactly: a later chunk must not speak.
  private func index(before chunk: Int, without givenUp: Set<Int>, _ folder: RunFolder) throws {
    if indexedChunks > chunk {
      kept = [:]
      indexedChunks = 0
    }
    while indexedChunks < chunk {
      try Task.checkCancellation()
      let table = folder.verdictTable(indexedChunks)
      // A quarantined chunk kept nothing; it has no verdicts, or those of an earlier doing.
      let isJudged = !givenUp.contains(indexedChunks) && DurableFile.exists(table)
      let verdicts = isJudged ? try PairTable.read(table, as: Verdict.init) : []
      // The first wins: a later one of the same bytes is about to be judged again.
      for verdict in verdicts where verdict.drop == nil && kept[verdict.sha256] == nil {
        kept[verdict.sha256] = verdict.row
      }
      indexedChunks += 1
    }
  }
}
