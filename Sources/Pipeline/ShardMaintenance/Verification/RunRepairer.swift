import Deduplication
import DurableFiles
import JobLedger
import PairDataset
public import PipelineCore
import ShardStage
import URLPipeline
import WorkerThreads

/// What `verify --repair` has done.
public struct RepairOutcome: Sendable, Equatable {
  /// A line for each thing that was made anew.
  public var done: [String] = []
  /// What could not be mended, with why.
  public var left: [String] = []
  /// Jobs that were handed back to the ledger, to be done by a run of the folder.
  public var reopened: [String] = []
  /// Whether pictures are asked for on the web once more.
  public var refetches = false
  /// Whether jobs are yet to be done: those handed back, now or by a repair that was interrupted.
  public var mustResume = false
  /// Whether an index of deduplication is yet to be made, which a run of the folder does at its end.
  public var mustIndex = false
}

/// Mends what `verify` has found; what is fine is not touched.
public enum RunRepairer {
  /// Rebuilds files at once, and hands back the jobs whose outputs only they can bring.
  ///
  /// Killed at any moment, it is ended by verifying and repairing again.
  ///
  /// A damaged ledger comes first; what else is wrong is looked at again by the new one.
  ///
  /// - Parameters:
  ///   - report: Of the folder as it is.
  ///   - folder: Of the run.
  /// - Returns: What was done, and which jobs wait to be done.
  /// - Throws: `LedgerError.busy` while a process works on the jobs, ``RecoveryError`` where the ledger
  ///   is damaged and cannot be made again. What fails of one repair stands in
  ///   `left`, and the others are done.
  public static func repair(_ report: VerificationReport, in folder: RunFolder) async throws
    -> RepairOutcome
  {
    let lock = try RunLock.alone(folder)
    defer { withExtendedLifetime(lock) {} }
    return try await repairAlone(report, in: folder)
  }

  private static func repairAlone(
    _ report: VerificationReport, in folder: RunFolder
  ) async throws -> RepairOutcome {
    if report.problems.contains(where: { $0.repair == .ledger }) {
      let threads = Parallel.coreCount
      let lines = try await LedgerRebuilder.rebuild(
        folder, threads: threads, now: WorkerGroup.wallClock())
      let next = try await RunVerifier.verify(folder, threads: threads)
      if let again = next.problems.first(where: { $0.repair == .ledger }) {
        throw LedgerError.damaged(path: folder.ledger, message: again.what)
      }
      var outcome = try await repairAlone(next, in: folder)
      outcome.done = lines + outcome.done
      return outcome
    }
    // Its own error would advise the repair that this is.
    if report.problems.contains(where: { $0.file == "ledger.sqlite" && !$0.canBeRepaired }),
      try LedgerRebuilder.lacksRecord(folder)
    {
      throw RecoveryError.withoutRecord(folder: folder.path)
    }
    let ledger = try await RunFacts.ledger(of: folder, checks: true)
    let facts = try await RunFacts(folder, ledger)
    var outcome = RepairOutcome()
    var jobs: [JobName] = []
    for problem in report.problems {
      guard case .redo(let names, let refetches) = problem.repair else { continue }
      jobs += names.filter { !jobs.contains($0) }
      outcome.refetches = outcome.refetches || refetches
    }
    // What is done again makes its files by itself.
    let redone = Set(jobs.filter { $0.stage == StageName.shard.rawValue }.map(\.chunk))
    var handled: Set<Repair> = []
    for problem in report.problems where handled.insert(problem.repair).inserted {
      if case .shardTable(let chunk) = problem.repair, redone.contains(chunk) { continue }
      do {
        outcome.done += try await rebuild(problem, facts, ledger, &outcome)
      } catch let error as CancellationError {
        throw error
      } catch {
        // The other problems can be mended for all that.
        outcome.left.append("\(problem.file): \(error)")
      }
    }
    try await Leftovers.note(outputsOf: jobs, facts, in: ledger)
    outcome.reopened = try await ledger.reopen(jobs).map(\.description)
    outcome.mustResume =
      !outcome.reopened.isEmpty || facts.unfinishedJobs > 0 || outcome.mustIndex
    return outcome
  }

  /// Mends at once what needs no job; what was done, in words.
  private static func rebuild(
    _ problem: VerificationReport.Problem, _ facts: RunFacts, _ ledger: any Ledger,
    _ outcome: inout RepairOutcome
  ) async throws -> [String] {
    let folder = facts.folder
    switch problem.repair {
    case .redo, .ledger: return []
    case .record:
      try await RunRecord.update(folder, from: ledger)
      return ["wrote run.json again"]
    case .byHand(let advice):
      outcome.left.append("\(problem.file): \(advice)")
      return []
    case .duplicateIndex(let file):
      // The run makes it where it ends: after the jobs that others wait for, or at once.
      try DurableFile.remove("\(folder.path)/\(file)")
      outcome.mustIndex = true
      return ["removed \(file), to be made again from the tables"]
    case .samples(let chunk):
      try DuplicateSamples(of: folder).write(chunk, [])
      return ["removed \(facts.name(DuplicateSamples(of: folder).path(chunk)))"]
    case .removeTemporaries:
      try folder.removeAbandonedTemporaries()
      return ["removed what killed processes left"]
    case .removeLeftovers:
      return try await Leftovers(ledger).clear(facts, in: ledger).map { "removed \($0)" }
    case .index(let shard):
      try await Parallel.detached {
        try ShardIndexFile.rebuild(ofShard: "\(folder.path)/\(shard)")
      }
      return ["made the index of \(shard) again"]
    case .shardTable(let chunk):
      guard let attempt = facts.attempt(chunk) else { return [] }
      let stage = try await PipelineRun.recipe(of: folder.path).shardStage
      try await Parallel.detached {
        try stage.rebuildTable(of: chunk, fetchedBy: attempt, in: folder)
      }
      return ["made \(facts.name(folder.shardTable(chunk))) again"]
    }
  }

  /// Removes what the jobs that were done again have written before and do not write any more.
  ///
  /// A chunk that keeps nothing now has no shard, and fewer pairs make fewer final shards. By the
  /// ledger's note: it does not matter which process has done the jobs. Nothing goes before all are
  /// done.
  ///
  /// - Parameter folder: Of the run.
  /// - Throws: What the disk refuses.
  public static func clear(in folder: RunFolder) async throws {
    let ledger = try await RunFacts.ledger(of: folder)
    _ = try await Leftovers(ledger).clear(try await RunFacts(folder, ledger), in: ledger)
  }
}
