import DurableFiles
import JobLedger
import PairDataset
import PipelineCore

/// The tables and the shard of one chunk held against its reports.
struct ChunkCheck {
  let chunk: Int
  let facts: RunFacts
  let found: ProblemList

  private var folder: RunFolder { facts.folder }

  func run() {
    guard let candidates = countCandidates() else { return }
    let before = checkStages(of: candidates)
    guard let shard = facts.report(.shard, chunk) else { return }
    let keys = check(shard, inputsAreFine: before)
    checkTable(of: shard, rows: candidates, keys: keys, inputsAreFine: before)
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

  private func countCandidates() -> Int? {
    let path = folder.chunkTable(chunk)
    found.count(tables: 1)
    do {
      return try JSONLines.read(path, as: PairCandidate.init).count
    } catch {
      found.add(
        facts.name(path), DurableFile.exists(path) ? "\(error)" : "it is missing",
        .byHand("the list's rows of this chunk are lost: run the list in a new folder"))
      return nil
    }
  }

  /// The tables of download, decode and deduplicate; whether all are as they were.
  private func checkStages(of candidates: Int) -> Bool {
    var areFine = true
    if let report = facts.report(.download, chunk) {
      let path = folder.fetchedTable(chunk, attempt: facts.attempt(chunk) ?? 0)
      areFine = check(path, FetchedRow.init, \.drop, report, refetch) && areFine
    }
    if let report = facts.report(.decode, chunk) {
      areFine =
        check(
          folder.decodedTable(chunk), DecodedRow.init, \.drop, report, refetch) && areFine
    }
    if let report = facts.report(.deduplicate, chunk) {
      // Verdicts follow from the decoded tables, the same for the same ones.
      areFine =
        check(
          folder.verdictTable(chunk), Verdict.init, \.drop, report,
          .redo([facts.job(.deduplicate, chunk)], refetches: false)) && areFine
    }
    return areFine
  }

  /// Whether a table has the rows that its stage has counted.
  private func check<Row>(
    _ path: String, _ make: (JSONValue) -> Row?, _ drop: KeyPath<Row, Drop?>,
    _ report: StageReport, _ repair: Repair
  ) -> Bool {
    found.count(tables: 1)
    guard DurableFile.exists(path) else {
      found.add(facts.name(path), "it is missing", repair)
      return false
    }
    do {
      let rows = try PairTable.read(path, as: make)
      let kept = rows.count { $0[keyPath: drop] == nil }
      if rows.count == report.input && kept == report.kept { return true }
      found.add(
        facts.name(path),
        "it has \(rows.count) rows, \(kept) of them kept; the ledger counts \(report.input) and"
          + " \(report.kept)", repair)
    } catch {
      found.add(facts.name(path), "\(error)", repair)
    }
    return false
  }

  /// The keys of the chunk's shard; nil where it is damaged.
  private func check(_ report: StageReport, inputsAreFine: Bool) -> [String]? {
    guard let summary = report.shard else { return [] }
    let path = "\(folder.shards)/\(summary.file)"
    let check = ShardCheck(path, summary)
    found.count(shards: 1, pairs: check.keys.count, bytes: check.bytes)
    if let damage = check.damage {
      let isHere = inputsAreFine && DurableFile.exists(folder.decodedBytes(chunk))
      found.add(
        facts.name(path), damage,
        isHere ? .redo([facts.job(.shard, chunk)], refetches: false) : refetch)
      return nil
    }
    if let problem = check.indexProblem {
      found.add(
        facts.name(ShardIndexFile.path(ofShard: path)), problem, .index(shard: facts.name(path)))
    }
    return check.keys
  }

  private func checkTable(
    of report: StageReport, rows: Int, keys: [String]?, inputsAreFine: Bool
  ) {
    let path = folder.shardTable(chunk)
    found.count(tables: 1)
    let repair = inputsAreFine ? Repair.shardTable(chunk: chunk) : refetch
    guard DurableFile.exists(path) else {
      return found.add(facts.name(path), "it is missing", repair)
    }
    do {
      let table = try PairTable.read(path)
      let kept = table.filter { $0["status"]?.text == "success" }
      if table.count != rows {
        found.add(
          facts.name(path),
          "it has \(table.count) rows, the chunk \(rows): kept and dropped are not"
            + " the input", repair)
      } else if kept.count != report.kept {
        found.add(
          facts.name(path), "\(kept.count) of its pairs are kept, the ledger counts \(report.kept)",
          repair)
      } else if let keys, kept.map({ $0["key"]?.text }) != keys {
        found.add(facts.name(path), "its kept pairs are not those of the shard", repair)
      }
    } catch {
      found.add(facts.name(path), "\(error)", repair)
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
