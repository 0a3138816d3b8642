import ContentHashing
import DurableFiles
import PairDataset
import PipelineCore
import ShardStage
import URLPipeline

/// What one chunk's files say of its jobs.
///
/// A job counts as done when its outputs are there, agree with those of the jobs before it, and when
/// what a later one still needs of them is there as well. Done are the jobs from the first on.
struct ChunkSurvey: Sendable {
  /// What a survey of any chunk of a run rests on.
  struct Scope: Sendable {
    var folder: RunFolder
    var recipe: RecordedRecipe
    var fetched: FetchedFiles
    /// A request to forget was interrupted: half of the files may be without the pairs.
    var isForgetting: Bool
    /// The digests by which the manifest lists the chunks' shards, by name.
    var listed: [String: ShardSummary]
    /// What the ledger says, where it is held against the files; then no shard is read.
    var facts: RunFacts?
  }

  /// Of the jobs that are done.
  private(set) var reports: [StageName: StageReport] = [:]
  private let chunk: Int
  private let scope: Scope
  private var folder: RunFolder { scope.folder }

  /// Looks at the files of a chunk.
  ///
  /// Memory: the chunk's tables. Reads its shard once or twice, unless a ledger is asked about.
  ///
  /// - Throws: `FileError` where the machine is at fault; damaged files are an answer.
  init(_ chunk: Int, _ scope: Scope) throws {
    self.chunk = chunk
    self.scope = scope
    let table = folder.chunkTable(chunk)
    guard
      let candidates = try unlessDamaged({ try JSONLines.read(table, as: PairCandidate.init) })
    else { return }
    let live = candidates.filter { $0.drop == nil }.map(\.row).sorted()
    guard Set(live).count == live.count else { return }
    let (downloads, decoded) = try downloads(of: live)
    guard let (attempt, rows, isDecoded) = downloads else { return }
    var reports: [StageName: StageReport] = [:]
    reports[.download] = Self.report(of: rows, attempt: attempt)
    if isDecoded, let decoded {
      reports[.decode] = Self.report(of: decoded)
      reports.merge(try later(decoded, attempt: attempt, candidates: candidates.count)) { $1 }
    }
    try dropUnusable(&reports, rows, decoded ?? [], attempt: attempt)
    self.reports = reports
  }

  /// The download that counts: that from which the decoded table was made, else the newest.
  private func downloads(of live: [Int]) throws -> (
    (attempt: Int, rows: [FetchedRow], isDecoded: Bool)?, decoded: [DecodedRow]?
  ) {
    let decoded = try unlessDamaged {
      try PairTable.read(folder.decodedTable(chunk), as: DecodedRow.init)
    }
    var newest: (attempt: Int, rows: [FetchedRow], isDecoded: Bool)?
    // Where the ledger's own is among them it counts.
    let known = scope.facts?.attempt(chunk)
    let published = scope.fetched.published(chunk)
    for attempt in published.filter({ $0 == known }) + published.filter({ $0 != known }) {
      let rows = try unlessDamaged {
        try PairTable.read(folder.fetchedTable(chunk, attempt: attempt), as: FetchedRow.init)
      }
      guard let rows, rows.map(\.row).sorted() == live else { continue }
      let kept = rows.filter { $0.drop == nil }
      if let decoded, kept.map(\.row) == decoded.map(\.row),
        scope.isForgetting || kept.map(\.sha256) == decoded.map(\.sha256)
      {
        return ((attempt, rows, true), decoded)
      }
      if newest == nil { newest = (attempt, rows, false) }
    }
    return (newest, decoded)
  }

  /// The reports of deduplicate, shard and score, as far as they are done.
  private func later(
    _ decoded: [DecodedRow], attempt: Int, candidates: Int
  ) throws -> [StageName: StageReport] {
    var reports: [StageName: StageReport] = [:]
    let verdicts = try unlessDamaged {
      try PairTable.read(folder.verdictTable(chunk), as: Verdict.init)
    }
    let kept = decoded.filter { $0.drop == nil }
    guard let verdicts, verdicts.map(\.row) == kept.map(\.row),
      zip(verdicts, kept).allSatisfy({
        // A picture that was taken out has lost its digest.
        $0.sha256 == $1.sha256 || $0.drop?.reason == .forgotten || scope.isForgetting
      })
    else { return reports }
    reports[.deduplicate] = Self.report(verdicts.map(\.drop))
    let keys = try unlessDamaged {
      try scope.recipe.shardStage.keys(of: chunk, fetchedBy: attempt, in: folder)
    }
    guard let keys, let shard = try shard(keys, candidates: candidates) else { return reports }
    reports[.shard] = shard.report
    guard let scorer = scope.recipe.scorer else { return reports }
    let path = folder.scoreTable(chunk, scorer: scorer)
    let scored = try unlessDamaged {
      try PairTable.read(path) { $0["score"]?.double == nil ? nil : $0["key"]?.text }
    }
    if let scored, agree(scored, shard.keys) {
      reports[.score] = StageReport(input: scored.count, kept: scored.count)
    }
    return reports
  }

  /// Whether a file has the pairs that it should have; in the midst of a request some may be gone.
  private func agree(_ found: [String], _ expected: [String]) -> Bool {
    found == expected
      || scope.isForgetting
        && (Set(found).isSubset(of: expected) || Set(expected).isSubset(of: found))
  }

  private func shard(
    _ keys: [String], candidates: Int
  ) throws -> (report: StageReport, keys: [String])? {
    if let facts = scope.facts {
      guard let known = facts.report(.shard, chunk) else { return nil }
      var report = StageReport(input: keys.count, kept: keys.count)
      report.shard = known.shard
      return (report, keys)
    }
    guard let path = ShardFiles.shard(chunk, in: folder.shards) else {
      // A chunk that keeps nothing has a table alone.
      let table = try unlessDamaged { try PairTable.read(folder.shardTable(chunk)).count }
      guard keys.isEmpty || scope.isForgetting, table == candidates else { return nil }
      return (StageReport(input: 0, kept: 0), [])
    }
    guard let (found, summary) = try unlessDamaged({ try Self.read(path) }), !found.isEmpty,
      agree(found, keys), isSound(summary)
    else { return nil }
    return (StageReport(input: found.count, kept: found.count, shard: summary), found)
  }

  /// Whether a shard is the one that was published: a plain tar has no checksums of its own.
  private func isSound(_ summary: ShardSummary) -> Bool {
    guard !summary.file.hasSuffix(".lz4"), let listed = scope.listed[summary.file] else {
      return true
    }
    return listed.sha256 == summary.sha256 || scope.isForgetting
  }

  /// The keys of a shard, all of whose bytes are looked at, and what it is.
  private static func read(_ path: String) throws -> (keys: [String], ShardSummary) {
    var keys: [String] = []
    try ShardReader(path: path).forEach { keys.append($0.key) }
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return (
      keys,
      ShardSummary(
        file: file, pairs: keys.count, bytes: try DurableFile.size(of: path),
        sha256: try ShardCheck.digest(of: path))
    )
  }

  /// Drops the reports of jobs whose bytes the next job still needs and that are gone.
  private func dropUnusable(
    _ reports: inout [StageName: StageReport], _ rows: [FetchedRow], _ decoded: [DecodedRow],
    attempt: Int
  ) throws {
    // What the ledger says is done has had its bytes removed, whatever its counts.
    guard scope.facts == nil else { return }
    if reports[.shard] == nil, reports[.decode] != nil {
      let isNeeded =
        reports[.deduplicate].map { $0.kept > 0 } ?? decoded.contains { $0.drop == nil }
      let size = reports[.decode]?.facts["bytes"] ?? 0
      let path = folder.decodedBytes(chunk)
      let found = try unlessDamaged { try DurableFile.size(of: path) }
      if isNeeded && found != size {
        reports[.decode] = nil
        reports[.deduplicate] = nil
      }
    }
    if reports[.decode] == nil, reports[.download] != nil,
      try !hasBodies(rows, attempt: attempt)
    {
      reports = [:]
    }
  }

  /// Whether all bodies are there, by their digests.
  private func hasBodies(_ rows: [FetchedRow], attempt: Int) throws -> Bool {
    let path = folder.fetchedBytes(chunk, attempt: attempt)
    guard DurableFile.exists(path) else { return false }
    let file = try FileReader(path)
    for row in rows {
      guard let range = row.bytes else { continue }
      let body = try file.read(count: range.length, at: range.offset)
      guard body.count == range.length, ContentHash.sha256Hex(body) == row.sha256 else {
        return false
      }
    }
    return true
  }

  private static func report(
    _ drops: [Drop?], facts: [String: Int] = [:]
  ) -> StageReport {
    let dropped = drops.compactMap { $0 }
    return StageReport(
      input: drops.count, kept: drops.count - dropped.count,
      dropped: Dictionary(dropped.map { ($0.reason, 1) }, uniquingKeysWith: +), facts: facts)
  }

  private static func bytes(_ ranges: [ByteRange?]) -> Int {
    ranges.compactMap { $0.map { $0.offset + $0.length } }.max() ?? 0
  }

  private static func report(of rows: [FetchedRow], attempt: Int) -> StageReport {
    StageReport(of: rows, attempt: attempt, byteCount: bytes(rows.map(\.bytes)))
  }

  private static func report(of rows: [DecodedRow]) -> StageReport {
    report(rows.map(\.drop), facts: ["bytes": bytes(rows.map(\.bytes))])
  }
}
