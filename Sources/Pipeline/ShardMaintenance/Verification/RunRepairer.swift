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
}

/// Mends what `verify` has found; what is fine is not touched.
public enum RunRepairer {
  /// Rebuilds files at once, and hands back the jobs whose outputs only they can bring.
  ///
  /// Killed at any moment, it is ended by verifying and repairing again.
  ///
  /// - Parameters:
  ///   - report: Of the folder as it is.
  ///   - folder: Of the run.
  /// - Returns: What was done, and which jobs wait to be done.
  /// - Throws: `LedgerError.busy` while a process works on the jobs; what the disk refuses.
  public static func repair(_ report: VerificationReport, in folder: RunFolder) async throws
    -> RepairOutcome
  {
    let ledger = try RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    var outcome = RepairOutcome()
    var jobs: [JobName] = []
    var handled: Set<Repair> = []
    for problem in report.problems where handled.insert(problem.repair).inserted {
      switch problem.repair {
      case .byHand(let advice): outcome.left.append("\(problem.file): \(advice)")
      case .removeTemporaries:
        try folder.removeAbandonedTemporaries()
        outcome.done.append("removed what killed processes left")
      case .redo(let names, let refetches):
        jobs += names.filter { !jobs.contains($0) }
        outcome.refetches = outcome.refetches || refetches
      case .index, .shardTable: break
      }
    }
    // What is done again makes its files by itself.
    let redone = Set(jobs.filter { $0.stage == StageName.shard.rawValue }.map(\.chunk))
    for repair in handled {
      switch repair {
      case .index(let shard):
        try await Parallel.detached {
          try ShardIndexFile.rebuild(ofShard: "\(folder.path)/\(shard)")
        }
        outcome.done.append("made the index of \(shard) again")
      case .shardTable(let chunk) where !redone.contains(chunk):
        guard let attempt = facts.attempt(chunk) else { continue }
        let stage = try await PipelineRun.recipe(of: folder.path).shardStage
        try await Parallel.detached {
          try stage.rebuildTable(of: chunk, fetchedBy: attempt, in: folder)
        }
        outcome.done.append("made \(facts.name(folder.shardTable(chunk))) again")
      default: break
      }
    }
    outcome.done.sort()
    outcome.reopened = try await ledger.reopen(jobs).map(\.description)
    return outcome
  }

  /// Removes what the jobs that were done again have written before and do not write any more.
  ///
  /// A chunk that keeps nothing now has no shard, and fewer pairs make fewer final shards.
  ///
  /// - Parameters:
  ///   - outcome: Of the repair, whose jobs are done.
  ///   - folder: Of the run.
  /// - Throws: What the disk refuses.
  public static func clear(_ outcome: RepairOutcome, in folder: RunFolder) async throws {
    let facts = try await RunFacts(folder, try RunFacts.ledger(of: folder))
    for chunk in facts.chunks where outcome.reopened.contains(facts.job(.shard, chunk).description)
    {
      guard let report = facts.report(.shard, chunk), report.shard == nil else { continue }
      for compression in ShardCompression.allCases {
        let path = "\(folder.shards)/\(RunFolder.digits(chunk)).\(compression.fileExtension)"
        try DurableFile.remove(path)
        try DurableFile.remove(ShardIndexFile.path(ofShard: path))
      }
    }
    guard facts.publishing.contains(where: { outcome.reopened.contains($0.description) }) else {
      return
    }
    let listed = Set(
      try DatasetManifest.read(folder.dataset).shards.filter { $0.file.hasPrefix("filtered/") }
        .map { $0.file.dropFirst("filtered/".count).prefix { $0 != "." } })
    for name in try DurableFile.names(in: folder.filtered) {
      let number = name.prefix { $0 != "." }
      guard number.count >= 5, number.allSatisfy({ $0.isASCII && $0.isNumber }),
        !listed.contains(number)
      else { continue }
      try DurableFile.remove("\(folder.filtered)/\(name)")
    }
  }
}
