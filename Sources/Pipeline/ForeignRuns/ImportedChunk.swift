import DurableFiles
import PairDataset
import PipelineCore

/// The tables and counts of one chunk that was imported.
struct ImportedChunk {
  private(set) var reports: [StageName: StageReport] = [:]
  /// Rows of the chunk.
  let rows: Int
  /// What the list's own stage dropped.
  private(set) var rejected: [DropReason: Int] = [:]
  /// Of all stages.
  private(set) var dropped: [DropReason: Int] = [:]
  private(set) var transient = 0
  /// Rows that a retry may ask for again.
  private(set) var mayHeal = 0

  /// Writes the tables of all stages but the shard's own.
  ///
  /// - Parameters:
  ///   - pairs: The chunk's rows; kept ones in the order of the shard.
  ///   - chunk: Its number.
  ///   - folder: The run's.
  ///   - shard: What the chunk's shard is; nil for none.
  /// - Throws: What the disk refuses.
  init(_ pairs: [ImportedPair], chunk: Int, to folder: RunFolder, shard: ShardSummary?) throws {
    rows = pairs.count
    try JSONLines.write(pairs.map(\.candidate.json), to: folder.chunkTable(chunk))
    for drop in pairs.compactMap(\.candidate.drop) { rejected[drop.reason, default: 0] += 1 }
    let fetched = pairs.compactMap(\.fetched).sorted { $0.row < $1.row }
    let decoded = pairs.compactMap(\.decoded).sorted { $0.row < $1.row }
    let verdicts = pairs.compactMap(\.verdict).sorted { $0.row < $1.row }
    try PairTable.write(
      fetched.map(\.json), columns: FetchedRow.columns,
      to: folder.fetchedTable(chunk, attempt: ImportedPair.attempt))
    try PairTable.write(
      decoded.map(\.json), columns: DecodedRow.columns, to: folder.decodedTable(chunk))
    try PairTable.write(
      verdicts.map(\.json), columns: Verdict.columns, to: folder.verdictTable(chunk))
    transient = fetched.count { $0.failureClass == .transient }
    reports[.download] = report(
      fetched.map(\.drop),
      // The bodies are not here, whose bytes the table could tell.
      facts: StageReport(of: fetched, attempt: ImportedPair.attempt, byteCount: 0).facts
        .filter { $0.key != "bytes" })
    reports[.decode] = report(decoded.map(\.drop))
    reports[.deduplicate] = report(verdicts.map(\.drop))
    let kept = reports[.deduplicate]?.kept ?? 0
    precondition(kept == shard?.pairs ?? 0, "\(kept) pairs are kept, and the shard has others")
    reports[.shard] = StageReport(input: kept, kept: kept, shard: shard)
    dropped.merge(rejected, uniquingKeysWith: +)
    mayHeal = pairs.count(where: Self.mayHeal)
  }

  private mutating func report(_ drops: [Drop?], facts: [String: Int] = [:]) -> StageReport {
    let reasons = Dictionary(
      drops.compactMap { $0 }.map { ($0.reason, 1) }, uniquingKeysWith: +)
    dropped.merge(reasons, uniquingKeysWith: +)
    return StageReport(
      input: drops.count, kept: drops.count { $0 == nil }, dropped: reasons, facts: facts)
  }

  /// As `FetchTable.Entry.standing` has it.
  private static func mayHeal(_ pair: ImportedPair) -> Bool {
    guard pair.candidate.drop == nil else { return false }
    if pair.fetched?.failureClass == .transient { return true }
    switch (pair.fetched?.drop ?? pair.decoded?.drop)?.reason {
    case nil, .badURL, .robots, .robotsTxt, .tdmReserved, .contentUsage, .hostDenied,
      .hashBlocked, .addressRefused, .forgotten, .duplicateURL, .duplicateBytes,
      .duplicatePicture, .duplicateCaption, .captionLimit, .placeholder, .evaluationSet:
      return false
    default: return true
    }
  }
}
