/// What a run's folder holds that no job will read.
public enum Litter: String, Codable, Sendable, CaseIterable {
  /// Half a file, of a process that is gone.
  case temporaries
  /// Downloads of an attempt that does not count.
  case supersededAttempts
  /// Bodies of chunks that are deduplicated, and pictures of those that are in their shards.
  case intermediates
  /// The same of chunks that were given up: releasing those then downloads them again.
  case quarantinedBytes
  /// What jobs that were done again have written before and do not write any more.
  case leftovers
  /// Ledgers that were damaged and put aside.
  case damagedLedgers
}

/// What `gc` asks for beyond what it removes anyway.
public struct CleaningOptions: Sendable, Equatable {
  /// ``Litter/quarantinedBytes`` go as well.
  public var removesQuarantined = false
  /// ``Litter/damagedLedgers`` go as well.
  public var removesDamagedLedgers = false
  /// Nothing is removed.
  public var isDryRun = false

  public init() {}
}

/// What was removed, or would be.
public struct CleaningReport: Sendable, Equatable {
  public struct Item: Sendable, Equatable {
    public var kind: Litter
    /// Relative to the run's folder.
    public var file: String
    public var bytes: Int
  }

  /// By kind and file.
  public var items: [Item] = []
  /// What was left because it was not asked for: ``Litter/quarantinedBytes``, ``Litter/damagedLedgers``.
  public var left: [Item] = []
  /// Files that Pairloom has not made, or cannot tell to be its own, relative to the run's folder.
  public var foreign: [String] = []
  /// Final shards are not looked at while jobs are yet to be done.
  public var unfinishedJobs = 0
  /// Of the ledger with its log, before and after.
  public var ledgerBytes: (before: Int, after: Int) = (0, 0)

  public var bytes: Int { items.reduce(0) { $0 + $1.bytes } }

  /// Files and bytes of one kind.
  public func sum(_ kind: Litter) -> (files: Int, bytes: Int) {
    let items = items.filter { $0.kind == kind }
    return (items.count, items.reduce(0) { $0 + $1.bytes })
  }

  public static func == (one: CleaningReport, other: CleaningReport) -> Bool {
    one.items == other.items && one.left == other.left && one.foreign == other.foreign
      && one.unfinishedJobs == other.unfinishedJobs && one.ledgerBytes == other.ledgerBytes
  }
}
