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
    if options.kind == .exact { try index(before: chunk.number, folder) }
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
    try PairTable.write(
      verdicts.map(\.json), columns: Verdict.columns, to: folder.verdictTable(chunk.number))
    let drops = verdicts.compactMap(\.drop)
    return StageReport(
      input: verdicts.count, kept: verdicts.count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +))
  }

  /// Stands for the digest of a picture that was taken out.
  private static let noHash = String(repeating: "0", count: 64)

  /// Brings the index up to the chunks before `chunk`, exactly: a later chunk must not speak.
  private func index(before chunk: Int, _ folder: RunFolder) throws {
    if indexedChunks > chunk {
      kept = [:]
      indexedChunks = 0
    }
    while indexedChunks < chunk {
      try Task.checkCancellation()
      let table = folder.verdictTable(indexedChunks)
      // A quarantined chunk has no verdicts, and kept nothing.
      let verdicts =
        DurableFile.exists(table) ? try PairTable.read(table, as: Verdict.init) : []
      for verdict in verdicts where verdict.drop == nil {
        kept[verdict.sha256] = verdict.row
      }
      indexedChunks += 1
    }
  }
}
