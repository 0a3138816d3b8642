import DurableFiles
import JobLedger
import PairDataset
public import PipelineCore
import URLPipeline
import WorkerThreads

/// Removes what no job of a run will read.
///
/// It may work beside processes of the run: what a live process or a lease may still need stays, and
/// what a job that was handed back will read. A file goes only where its place, its name and the
/// ledger say that a job of this run has made it; every other is told and left.
public enum RunCleaner {
  /// Cleans a run's folder.
  ///
  /// - Parameters:
  ///   - folder: Of the run.
  ///   - options: What goes.
  /// - Returns: What has gone, or would go.
  /// - Throws: `NoRunError`, `LedgerError`, or what the disk refuses.
  public static func clean(_ folder: RunFolder, _ options: CleaningOptions = CleaningOptions())
    async throws -> CleaningReport
  {
    let ledger = try await RunFacts.ledger(of: folder)
    // Before the ledger is read: what is published meanwhile is not among them.
    let files = try RunFile.all(in: folder)
    let facts = try await RunFacts(folder, ledger)
    var search = LitterSearch(
      facts: facts, givenUp: try await ledger.quarantine().map(\.name), files: files,
      leftovers: try await Leftovers(ledger))
    let open = search.undecidedDownloads
    for chunk in open {
      let name = facts.job(.download, chunk)
      guard let last = try await ledger.history(of: name).last, last.outcome != .completed
      else { continue }
      search.openDownloads[chunk] = (last.attempt, last.outcome == .running)
    }
    do {
      search.kept = try await PipelineRun.recipe(of: folder.path).keep
    } catch RetryError.withoutNotes {
      // A run of before there were notes has kept nothing.
    }
    let found = search
    var report = try await Parallel.detached { try found.report() }
    report.left = report.items.filter { item in
      (item.kind == .quarantinedBytes && !options.removesQuarantined)
        || (item.kind == .damagedLedgers && !options.removesDamagedLedgers)
    }
    let left = Set(report.left.map(\.file))
    report.items.removeAll { left.contains($0.file) }
    report.ledgerBytes.before = ledgerSize(folder)
    if !options.isDryRun {
      for item in report.items { try DurableFile.remove("\(folder.path)/\(item.file)") }
      for spare in try folder.abandonedIndexes()
      where try DurableFile.names(in: spare).isEmpty { try DurableFile.removeFolder(spare) }
      _ = try await Leftovers(ledger).clear(facts, in: ledger)
      for name in ["logs", "filtered/rescored"] {
        let path = "\(folder.path)/\(name)"
        // The first job to write there makes it anew.
        guard facts.unfinishedJobs == 0 || name == "logs", DurableFile.isFolder(path),
          try DurableFile.names(in: path).isEmpty
        else { continue }
        try DurableFile.removeFolder(path)
      }
      try await ledger.checkpoint()
    }
    report.ledgerBytes.after = ledgerSize(folder)
    return report
  }

  private static func ledgerSize(_ folder: RunFolder) -> Int {
    ["", "-wal"].reduce(0) { sum, ending in
      // The log comes and goes with its readers.
      sum + ((try? DurableFile.size(of: folder.ledger + ending)) ?? 0)
    }
  }
}

/// Tells the files of a run that no job will read.
struct LitterSearch: Sendable {
  let facts: RunFacts
  let givenUp: [JobName]
  let files: [RunFile]
  let leftovers: Leftovers
  /// What the recipe keeps for a redo.
  var kept: Set<Intermediate> = []
  /// Of downloads that are not completed: the last attempt, and whether it is in work.
  var openDownloads: [Int: (attempt: Int, isLeased: Bool)] = [:]

  /// The chunks with files of downloads that the reports say nothing of.
  var undecidedDownloads: Set<Int> {
    Set(
      files.compactMap { file in
        guard file.folder == "fetched", case .known(let number?) = file.kind else { return nil }
        return facts.attempt(number) == nil && facts.chunks.contains(number) ? number : nil
      })
  }

  /// All that was found, whether it is to go or not.
  func report() throws -> CleaningReport {
    var report = CleaningReport()
    report.unfinishedJobs = facts.unfinishedJobs
    let abandoned = Set(try facts.folder.abandonedTemporaries().map(facts.name))
    let gone = Set(try leftovers.unlisted(facts))
    let orphans = try OrphanSearch.unknown(to: facts)
    for file in files {
      let size = { try DurableFile.size(of: "\(facts.folder.path)/\(file.path)") }
      if let kind = litter(file, abandoned: abandoned)
        ?? (gone.contains(file.path) ? .leftovers : nil)
      {
        // A live process may have given it its name meanwhile.
        guard DurableFile.exists("\(facts.folder.path)/\(file.path)") else { continue }
        report.items.append(.init(kind: kind, file: file.path, bytes: try size()))
      } else if orphans.contains(file.path) {
        if isOurs(file) {
          report.items.append(.init(kind: .leftovers, file: file.path, bytes: try size()))
        } else {
          report.foreign.append(file.path)
        }
      } else if file.kind == .foreign {
        report.foreign.append(file.path)
      }
    }
    for spare in try facts.folder.abandonedIndexes() {
      for name in try DurableFile.names(in: spare) {
        let path = "\(spare)/\(name)"
        report.items.append(
          .init(kind: .temporaries, file: facts.name(path), bytes: try DurableFile.size(of: path)))
      }
    }
    let order = Litter.allCases
    report.items.sort { one, other in
      let (a, b) = (order.firstIndex(of: one.kind) ?? 0, order.firstIndex(of: other.kind) ?? 0)
      return (a, one.file) < (b, other.file)
    }
    return report
  }

  private func litter(_ file: RunFile, abandoned: Set<String>) -> Litter? {
    switch file.kind {
    case .foreign: return nil
    case .temporary: return abandoned.contains(file.path) ? .temporaries : nil
    case .known(nil):
      return RunFile.isDamagedLedger(file.name, in: file.folder) ? .damagedLedgers : nil
    case .known(_) where file.folder == "filtered/rescored":
      // A job that is to come goes on with them.
      return facts.unfinishedJobs == 0 ? .leftovers : nil
    case .known(let number?):
      guard facts.chunks.contains(number) else { return nil }
      if file.folder == "fetched" { return ofDownload(number, file) }
      let isBytes = file.folder == "decoded" && file.name.hasSuffix(".bytes")
      return isBytes ? bytes(.decoded, of: number, readBy: [.deduplicate, .shard]) : nil
    }
  }

  private func ofDownload(_ chunk: Int, _ file: RunFile) -> Litter? {
    guard let attempt = RunFile.attempt(of: file.name) else { return nil }
    if let counted = facts.attempt(chunk) {
      // A later one than counts is of a job that was handed back after the ledger was read.
      if attempt < counted { return .supersededAttempts }
    } else if let open = openDownloads[chunk] {
      // An attempt that was not completed will not be: the next has a number of its own.
      if isGivenUp(.download, chunk) { return .quarantinedBytes }
      return attempt < open.attempt || (attempt == open.attempt && !open.isLeased)
        ? .supersededAttempts : nil
    }
    return file.name.hasSuffix(".bytes")
      ? bytes(.fetched, of: chunk, readBy: [.decode, .deduplicate]) : nil
  }

  /// What a chunk's bytes are once `stages` have settled; nil while one of them is to be done.
  private func bytes(_ kind: Intermediate, of chunk: Int, readBy stages: [StageName]) -> Litter? {
    if stages.allSatisfy({ facts.report($0, chunk) != nil }) {
      return kept.contains(kind) ? nil : .intermediates
    }
    let isSettled = stages.allSatisfy {
      facts.report($0, chunk) != nil || isGivenUp($0, chunk)
    }
    return isSettled ? .quarantinedBytes : nil
  }

  private func isGivenUp(_ stage: StageName, _ chunk: Int) -> Bool {
    givenUp.contains(facts.job(stage, chunk))
  }

  /// Whether a file that nothing lists has the mark of our writers.
  ///
  /// A shard has an index beside it that says what a scan finds; a table names its writer; the index
  /// and the table of a shard go with it.
  private func isOurs(_ file: RunFile) -> Bool {
    guard ["shards", "filtered"].contains(file.folder), facts.unfinishedJobs == 0,
      case .known(let number?) = file.kind
    else { return false }
    let folder = "\(facts.folder.path)/\(file.folder)"
    guard let shard = ShardFiles.shard(number, in: folder) else { return false }
    // A shard that cannot be read is not told to be ours.
    return (try? ShardIndexFile.state(ofShard: shard)) == .current
  }
}
