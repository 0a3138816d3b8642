import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import ShardStage

/// The tables and the shard of one chunk held against its reports and against each other.
struct ChunkCheck {
  let chunk: Int
  let facts: RunFacts
  let found: ProblemList
  /// Nil where the run's recipe is not known.
  let layout: RunLayout?
  /// The names of the list's other columns; nil where they are lost, which has been told.
  let columns: Set<String>?
  /// Whether the chunks of the list have, all together, the rows that ingest has counted.
  let listIsWhole: Bool
  /// The digests of the shards that the manifest lists.
  let published: Set<String>

  private var folder: RunFolder { facts.folder }

  private static let lostRows = Repair.byHand(
    "the list's rows of this chunk stand nowhere else: put the file back from a copy, else run the"
      + " list in a new folder")
  static let lostColumns = Repair.byHand(
    "the list's columns are lost, and no table is made again without them: run the list in a new"
      + " folder")
  private static let needsRows = Repair.byHand(
    "it cannot be made again without the list's rows and columns in chunks/: run the list in a new"
      + " folder")

  func run() {
    let candidates = readCandidates()
    let fetched = facts.report(.download, chunk).map {
      StageTable(
        folder.fetchedTable(chunk, attempt: facts.attempt(chunk) ?? 0), FetchedRow.init,
        row: \.row, drop: \.drop, $0)
    }
    let decoded = facts.report(.decode, chunk).map {
      StageTable(folder.decodedTable(chunk), DecodedRow.init, row: \.row, drop: \.drop, $0)
    }
    let verdicts = facts.report(.deduplicate, chunk).map {
      StageTable(folder.verdictTable(chunk), Verdict.init, row: \.row, drop: \.drop, $0)
    }
    let report = facts.report(.shard, chunk)
    let table = report.map { _ in ShardTable(folder.shardTable(chunk)) }
    found.count(tables: [fetched, decoded, verdicts].count { $0 != nil } + (table == nil ? 1 : 2))
    let shard = report?.shard.map { ShardCheck("\(folder.shards)/\($0.file)", $0) }
    if let shard, let summary = report?.shard, let table, shard.isSoundInItself,
      !published.contains(summary.sha256),
      table.problem == nil, table.mismatch(keys: shard.keys, count: shard.keys.count) == nil
    {
      // Its own checksums, its index and its table agree: three against the ledger.
      return found.add(
        "ledger.sqlite", "it knows of other bytes of shards/\(summary.file), which is sound",
        .ledger)
    }
    let keys = report.flatMap { $0.shard == nil ? [] : shard?.damage == nil ? shard?.keys : nil }

    var rows = candidates
    if let candidates, let problem = problem(of: candidates, fetched, decoded, table, keys) {
      found.add(facts.name(folder.chunkTable(chunk)), problem, Self.lostRows)
      rows = nil
    }
    // Without the list's rows nothing is made again: it would be made of what is damaged.
    let isWhole = rows != nil && hasColumns(of: candidates ?? [])
    let inputsAreFine = checkStages(rows, isWhole, fetched, decoded, verdicts)
    guard let report else { return }
    if let shard, let summary = report.shard {
      check(shard, summary, inputsAreFine: inputsAreFine, isWhole: isWhole)
    }
    if let table {
      check(
        table, report, rows, keys: keys,
        repair: inputsAreFine ? .shardTable(chunk: chunk) : isWhole ? refetch : Self.needsRows)
    }
    if inputsAreFine { checkCompanions() }
    checkScores(keys: keys)
  }

  /// Asks for the chunk's pictures once more; nothing else brings them back.
  private var refetch: Repair {
    let generation = facts.generations.number(ofChunk: chunk)
    let isRetried = facts.generations.all.contains {
      $0.number > generation && !$0.chunks.isEmpty
    }
    if isRetried {
      // Its rows have a newer fate in the retry's chunks, and would be kept twice.
      return .byHand(
        "rows of this chunk were retried since, so it cannot be fetched again: run the list in a new"
          + " folder")
    }
    let stages: [StageName] = [.download, .decode, .deduplicate, .shard, .score]
    return .redo(
      stages.filter { facts.report($0, chunk) != nil }.map { facts.job($0, chunk) }
        + facts.publishing, refetches: true)
  }

  private func readCandidates() -> [PairCandidate]? {
    let path = folder.chunkTable(chunk)
    do {
      return try JSONLines.read(path, as: PairCandidate.init)
    } catch {
      found.add(
        facts.name(path), DurableFile.exists(path) ? "\(error)" : "it is missing", Self.lostRows)
      return nil
    }
  }

  /// The rows of the list that are asked for, in rising order.
  private static func live(_ candidates: [PairCandidate]) -> [Int] {
    candidates.filter { $0.drop == nil }.map(\.row).sorted()
  }

  private var hasRows: Bool { layout.map { !$0.isImg2dataset } ?? false }

  /// Why it is the chunk's table that is damaged, in words, where the others disagree with it.
  ///
  /// The table of the downloads and that of the shard were made from it; what one of them says counts
  /// against it where it is sound in itself.
  private func problem(
    of candidates: [PairCandidate], _ fetched: StageTable?, _ decoded: StageTable?,
    _ table: ShardTable?, _ keys: [String]?
  ) -> String? {
    let live = Self.live(candidates)
    let isFetched: Bool? = fetched.flatMap { $0.problem == nil ? $0.rows == live : nil }
    var isSharded: Bool?
    if let table, table.problem == nil {
      isSharded = table.tells(of: candidates, hasRows: hasRows)
    }
    switch (isFetched, isSharded) {
    case (true, true), (nil, true), (false, true): return nil
    case (true, nil), (nil, nil):
      // Before a table is made anew, with nothing else to hold the rows against.
      guard table != nil else { return nil }
      if !listIsWhole { return "the chunks of the list have not the rows that the ledger counts" }
      let wrong = candidates.first { !Self.isNamedRightly($0) }
      return wrong.map { "the uid of row \($0.row) is not that of its URL and caption" }
    case (false, nil):
      // Two against one: the decoded rows are of the list, or of the downloads.
      if let decoded, decoded.problem == nil, !decoded.rows.isEmpty,
        Set(decoded.rows).isSubset(of: live)
      {
        return nil
      }
      return "its rows are not those that were downloaded"
    case (false, false): return "its rows are not those that were downloaded and published"
    case (_, false):
      let count = facts.report(.shard, chunk)?.kept ?? 0
      let isSound =
        table.map {
          $0.mismatch(keys: keys, count: count) == nil
            && (isFetched == nil || $0.covers(live, hasRows: hasRows))
        } ?? false
      return isSound ? "its rows are not those of the shard's table" : nil
    }
  }

  /// Whether a row has the uid that follows from it.
  private static func isNamedRightly(_ candidate: PairCandidate) -> Bool {
    // A pair of a shard brings its uid along; of a text that was no UTF-8 the bytes count.
    let replaced: Unicode.Scalar = "\u{FFFD}"
    if candidate.isForgotten || candidate.picture != nil || candidate.drop?.reason == .badURL
      || (candidate.url + candidate.caption).unicodeScalars.contains(replaced)
    {
      return true
    }
    return NormalizedURL.normalize(candidate.url).map {
      PairIdentity.uid(normalizedURL: $0, caption: candidate.caption) == candidate.uid
    } ?? false
  }

  /// Whether the list's columns that the rows have are known.
  private func hasColumns(of candidates: [PairCandidate]) -> Bool {
    guard let columns else { return false }
    let unknown = candidates.flatMap(\.columns).first { !columns.contains($0.key) }
    guard let unknown else { return true }
    found.addOnce(
      facts.name(folder.chunkColumns), "it does not know of the list's column \(unknown.key)",
      Self.lostColumns)
    return false
  }

  /// Looks at the tables of download, decode and deduplicate; whether all are as they were.
  private func checkStages(
    _ candidates: [PairCandidate]?, _ isWhole: Bool, _ fetched: StageTable?,
    _ decoded: StageTable?, _ verdicts: StageTable?
  ) -> Bool {
    let live = candidates.map(Self.live)
    let lost = isWhole ? refetch : Self.needsRows
    func check(_ table: StageTable?, _ expected: [Int]?, _ from: String, _ repair: Repair) -> Bool {
      guard let table else { return true }
      if let problem = table.problem {
        found.add(facts.name(table.path), problem, repair)
      } else if let expected, table.rows != expected {
        found.add(facts.name(table.path), "its rows are not those \(from)", repair)
      } else {
        return true
      }
      return false
    }
    let isFetched = check(fetched, live, "of the chunk", lost)
    var isDecoded = check(decoded, isFetched ? fetched?.kept : nil, "that were fetched", lost)
    if isDecoded && !isFetched, let decoded, let live, !Set(decoded.rows).isSubset(of: live) {
      found.add(facts.name(decoded.path), "its rows are not those of the chunk", lost)
      isDecoded = false
    }
    // Verdicts follow from the decoded tables, the same for the same ones.
    let isJudged = check(
      verdicts, isDecoded ? decoded?.kept : nil, "that were decoded",
      .redo([facts.job(.deduplicate, chunk)], refetches: false))
    return isWhole && isFetched && isDecoded && isJudged
  }

  private func check(
    _ check: ShardCheck, _ summary: ShardSummary, inputsAreFine: Bool, isWhole: Bool
  ) {
    let path = "\(folder.shards)/\(summary.file)"
    found.count(shards: 1, pairs: check.keys.count, bytes: check.bytes)
    if let damage = check.damage {
      let isHere = inputsAreFine && DurableFile.exists(folder.decodedBytes(chunk))
      found.add(
        facts.name(path), damage,
        isHere
          ? .redo([facts.job(.shard, chunk)], refetches: false) : isWhole ? refetch : Self.needsRows
      )
    } else if let problem = check.indexProblem {
      found.add(
        facts.name(ShardIndexFile.path(ofShard: path)), problem, .index(shard: facts.name(path)))
    }
  }

  private func check(
    _ table: ShardTable, _ report: StageReport, _ candidates: [PairCandidate]?, keys: [String]?,
    repair: Repair
  ) {
    let name = facts.name(table.path)
    if let problem = table.problem {
      found.add(name, problem, repair)
    } else if let candidates, table.rows.count != candidates.count {
      found.add(
        name,
        "it has \(table.rows.count) rows, the chunk \(candidates.count): kept and dropped are not"
          + " the input", repair)
    } else if let problem = table.mismatch(keys: keys, count: report.kept) {
      found.add(name, problem, repair)
    } else if let candidates, !table.tells(of: candidates, hasRows: hasRows) {
      found.add(name, "its rows are not those of the chunk", repair)
    }
  }

  /// The files that the layout has beside the shard and its table.
  private func checkCompanions() {
    guard let layout, let attempt = facts.attempt(chunk) else { return }
    do {
      for (path, content) in try layout.stage.companions(of: chunk, fetchedBy: attempt, in: folder)
      {
        let repair = Repair.shardTable(chunk: chunk)
        if !DurableFile.exists(path) {
          found.add(facts.name(path), "it is missing", repair)
        } else if try DurableFile.read(path) != content {
          found.add(facts.name(path), "it does not say what the tables do", repair)
        }
      }
    } catch {
      found.add(facts.name(folder.shardTable(chunk)), "\(error)", refetch)
    }
  }

  private func checkScores(keys: [String]?) {
    guard facts.report(.score, chunk) != nil, let scorer = facts.scorer else { return }
    let path = folder.scoreTable(chunk, scorer: scorer)
    found.count(tables: 1)
    let repair = Repair.redo([facts.job(.score, chunk)], refetches: false)
    guard DurableFile.exists(path) else {
      return found.add(facts.name(path), "it is missing", repair)
    }
    do {
      let scored = try PairTable.read(path) { $0["score"]?.double == nil ? nil : $0["key"]?.text }
      if let keys, scored != keys {
        found.add(facts.name(path), "its keys are not those of the shard", repair)
      }
    } catch {
      found.add(facts.name(path), "\(error)", repair)
    }
  }
}
