import DurableFiles
import JobLedger
import PairDataset
public import PipelineCore
import Synchronization
import URLPipeline
import WorkerThreads

/// Holds every file of a run against its ledger, its tables and its checksums.
///
/// Reads all shards, on several threads. Memory: the tables of one chunk and a pair per thread.
public struct RunVerifier: Sendable {
  private let facts: RunFacts
  private let status: RunStatus
  private let found = ProblemList()
  private let threads: Int
  private let layout: RunLayout?
  private let leftovers: Leftovers
  private let records: (file: RunRecord, ledger: RunRecord)?

  /// What is wrong in `folder`; changes nothing.
  ///
  /// - Parameters:
  ///   - folder: Of a run; what is not done yet is not missed.
  ///   - threads: Chunks that are looked at at a time.
  ///   - onProgress: Told how many of how many chunks and final shards are done.
  /// - Returns: All that was found.
  /// - Throws: `NoRunError`, or what the ledger lacks; a damaged file is no error.
  public static func verify(
    _ folder: RunFolder, threads: Int,
    onProgress: @escaping @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> VerificationReport {
    let faults = try await LedgerComparison.faults(of: folder)
    // Nothing can be held against a ledger that is none.
    if !faults.isEmpty { return VerificationReport(problems: faults) }
    let ledger = try await RunFacts.ledger(of: folder)
    let verifier = RunVerifier(
      facts: try await RunFacts(folder, ledger), status: try await RunStatus(ledger: ledger),
      threads: threads, layout: try await RunLayout(of: folder),
      leftovers: try await Leftovers(ledger),
      records: try await RunRecord.both(of: folder, ledger))
    return try await Parallel.detached { try verifier.report(onProgress) }
  }

  private init(
    facts: RunFacts, status: RunStatus, threads: Int, layout: RunLayout?, leftovers: Leftovers,
    records: (file: RunRecord, ledger: RunRecord)?
  ) {
    self.records = records
    self.layout = layout
    self.leftovers = leftovers
    self.facts = facts
    self.status = status
    self.threads = threads
  }

  private func report(_ onProgress: @escaping @Sendable (Int, Int) -> Void) throws
    -> VerificationReport
  {
    // Half of a request's files are rewritten, and the ledger may not know: that is no damage.
    if try ForgottenPairs.read(facts.folder).isInterrupted {
      found.add(
        "forgotten.jsonl", "a `pairloom forget` was interrupted",
        .byHand("end it with `pairloom forget \(facts.folder.path)`, then verify again"))
      return found.result
    }
    try LedgerComparison(facts: facts, status: status, found: found, records: records)
      .run(threads: threads)
    // The files would be blamed for what a wrong ledger says.
    if found.result.problems.contains(where: { $0.repair == .ledger }) { return found.result }
    checkRecord()
    let dataset = DatasetCheck(facts: facts, found: found, layout: layout)
    let final = dataset.finalShards()
    let columns = readColumns()
    let listIsWhole = countRows()
    let total = facts.chunks.count + final.count
    let done = Atomic<Int>(0)
    // A chunk's shard is read as its tables are looked at; final shards come after.
    Parallel.forEach(total, threads: threads) { index in
      if index < facts.chunks.count {
        ChunkCheck(
          chunk: index, facts: facts, found: found, layout: layout, columns: columns,
          listIsWhole: listIsWhole, published: dataset.digests
        )
        .run()
      } else {
        dataset.check(final[index - facts.chunks.count])
      }
      onProgress(done.add(1, ordering: .relaxed).newValue, total)
    }
    dataset.checkOrder()
    if !listIsWhole { nameLostRows() }
    checkBalance()
    DuplicatesCheck(facts: facts, found: found).run()
    try OrphanSearch(
      facts: facts, found: found, final: dataset.hasManifest ? final : nil,
      // A manifest that cannot be read has been named; what it lists cannot be told.
      leftovers: dataset.hasManifest ? leftovers.unlisted(facts) : []
    ).run()
    var report = found.result
    report.unfinishedJobs = facts.unfinishedJobs
    report.quarantinedJobs = facts.quarantinedJobs
    return report
  }

  private func checkRecord() {
    do {
      _ = try RunRecord.read(facts.folder)
    } catch {
      found.add("run.json", "\(error)", .record)
    }
  }

  /// The names of the list's other columns; nil where they are lost.
  private func readColumns() -> Set<String>? {
    guard facts.report(.ingest, 0) != nil else { return nil }
    do {
      return Set(try ListColumns.read(facts.folder).map(\.name))
    } catch {
      let path = facts.folder.chunkColumns
      found.add(
        facts.name(path), DurableFile.exists(path) ? "\(error)" : "it is missing",
        ChunkCheck.lostColumns)
      return nil
    }
  }

  /// A table that lost whole lines reads well, and where nothing was made of it yet nothing disagrees.
  private func nameLostRows() {
    if found.result.problems.contains(where: { $0.file.hasPrefix("chunks/") }) { return }
    found.add(
      "chunks", "its tables have not all the rows that were taken from the list",
      .byHand(
        "put them back from a copy: a run of this folder names the table and gives its chunk up;"
          + " without a copy run the list in a new folder"))
  }

  /// Whether the chunks of the list have, all together, the rows that ingest has counted.
  private func countRows() -> Bool {
    guard let report = facts.report(.ingest, 0), let list = facts.generations.all.first else {
      return true
    }
    var lines = 0
    do {
      for chunk in list.chunks {
        lines += try DurableFile.read(facts.folder.chunkTable(chunk)).count { $0 == 0x0A }
      }
    } catch {
      return false
    }
    return lines == report.input
  }

  /// Kept and dropped make up the list's rows.
  private func checkBalance() {
    guard status.isFinished, status.quarantined.isEmpty else { return }
    let rows = status.pairs("rows") - status.rejected
    let (kept, dropped) = (status.pairs("kept"), status.failures.values.reduce(0, +))
    if kept + dropped != rows {
      found.add(
        "ledger.sqlite",
        "\(kept) kept and \(dropped) dropped pairs are not the \(rows) of the list",
        .byHand("run the list again in a new folder, and report this"))
    }
  }
}
