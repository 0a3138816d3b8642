package import JobLedger

/// What `verify` has looked at and what is wrong.
public struct VerificationReport: Sendable, Equatable {
  /// One thing that is wrong with one file.
  public struct Problem: Sendable, Equatable {
    /// Relative to the run's folder.
    public var file: String
    /// In words.
    public var what: String
    package var repair: Repair

    /// What to do about it, in words.
    public var advice: String { repair.words }

    /// Whether `--repair` mends it.
    public var canBeRepaired: Bool {
      if case .byHand = repair { return false }
      return true
    }

    package init(_ file: String, _ what: String, _ repair: Repair) {
      self.file = file
      self.what = what
      self.repair = repair
    }
  }

  /// By file, then in the order in which they were found.
  public var problems: [Problem] = []
  public var shards = 0
  public var tables = 0
  public var pairs = 0
  /// Of the shards.
  public var bytes = 0
  /// Jobs of the run that are yet to be done; their outputs are not looked at.
  public var unfinishedJobs = 0
  /// Jobs that were given up; they have no outputs.
  public var quarantinedJobs = 0

  /// Whether nothing is wrong with what is done.
  public var isClean: Bool { problems.isEmpty }

  /// Whether nothing is wrong and nothing is yet to be done.
  public var isWhole: Bool { isClean && unfinishedJobs == 0 }
}

/// How a problem is mended.
package enum Repair: Sendable, Hashable {
  /// Scan the shard and write its index; `shard` is a path below the run's folder.
  case index(shard: String)
  /// Write the table of a chunk's shard again, from the tables of the stages before.
  case shardTable(chunk: Int)
  /// Hand jobs back to the ledger. `refetches`: pictures are asked for on the web once more.
  case redo([JobName], refetches: Bool)
  /// Remove what killed processes left.
  case removeTemporaries
  /// Remove what jobs that were done again have written before and do not write any more.
  case removeLeftovers
  /// Remove an index of deduplication, a path below the run's folder, and bring it to what the tables say.
  case duplicateIndex(file: String)
  /// Remove the samples of a chunk's duplicates.
  case samples(chunk: Int)
  /// Make the ledger again from the files.
  case ledger
  /// Write `run.json` again from the ledger.
  case record
  /// There is nothing to rebuild it from.
  case byHand(String)

  package var words: String {
    switch self {
    case .index: "--repair makes it again by a scan of the shard"
    case .shardTable: "--repair makes it again from the tables of download, decode and deduplicate"
    case .redo(let jobs, let refetches):
      (refetches
        ? "--repair downloads the chunk again (what has changed on the web, changes)"
        : "--repair does it again")
        + ": \(jobs.prefix(4).map(\.description).joined(separator: ", "))"
        + (jobs.count > 4 ? " and \(jobs.count - 4) more" : "")
    case .ledger:
      "--repair sets it aside as ledger.sqlite.damaged-N and makes it again from the files; what they"
        + " do not show as done is done again"
    case .duplicateIndex: "--repair, or the next run, makes it again from the tables"
    case .samples: "--repair removes it: pictures to be looked at, of which nothing else is made"
    case .record: "--repair writes it again from the ledger"
    case .removeTemporaries, .removeLeftovers: "--repair removes it"
    case .byHand(let advice): advice
    }
  }
}
