import DurableFiles
package import JobLedger
package import PipelineCore

/// The one way by which commands open the ledger of a folder: never a new one in a run's place.
package enum RunLedger {
  /// Opens the ledger of the run in `folder`, and sees that it is this run's.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - retry: How failed jobs are tried again.
  ///   - mayBeNew: Whether a folder without a run gets a ledger.
  ///   - checks: Whether the ledger's pages are looked at, as before it is written to; a second for a
  ///     million jobs.
  /// - Returns: The ledger.
  /// - Throws: `LedgerError.damaged` where the folder holds a run's files and no ledger of theirs,
  ///   with nothing changed; ``NoRunError``.
  package static func open(
    _ folder: RunFolder, retry: RetryPolicy = RetryPolicy(), mayBeNew: Bool = false,
    checks: Bool = false
  ) async throws -> SQLiteLedger {
    // Without a record, or with a damaged one, the files and the ledger alone must tell.
    let record = try? RunRecord.read(folder)
    let isBegun = try record != nil || hasOutputs(folder)
    guard let size = LedgerFile.size(folder.ledger) else {
      if isBegun { throw damage(folder, "it is missing, and the files of a run are here") }
      if !mayBeNew { throw NoRunError(folder: folder.path) }
      return try SQLiteLedger(path: folder.ledger, retry: retry)
    }
    // SQLite would take an empty file for a new database.
    if size == 0 && isBegun { throw damage(folder, "it is empty") }
    let ledger = try existing(folder, retry, format: record?.ledgerFormat)
    let faults = checks ? try await ledger.faults(isThorough: false) : []
    if let fault = faults.first { throw damage(folder, fault) }
    if isBegun { try await requireOwn(ledger, folder, record) }
    // Before a change is taken for the user's.
    if checks, let both = try await RunRecord.both(of: folder, ledger),
      both.file.revision >= both.ledger.revision,
      let key = both.file.changed(in: both.ledger).first
    {
      throw damage(folder, "its \(key) is not that of run.json")
    }
    return ledger
  }

  private static func damage(_ folder: RunFolder, _ message: String) -> LedgerError {
    .damaged(path: folder.ledger, message: message)
  }

  /// Opens a file that is there; `format` is the version that its run has noted.
  private static func existing(
    _ folder: RunFolder, _ retry: RetryPolicy, format: Int?
  ) throws(LedgerError) -> SQLiteLedger {
    do {
      return try SQLiteLedger(path: folder.ledger, retry: retry)
    } catch {
      if error.isOfFormat && format == SQLiteLedger.formatVersion {
        throw damage(folder, "its header names another format than this run's")
      }
      throw error
    }
  }

  /// Makes sure that a ledger is that of the run whose files are here.
  private static func requireOwn(
    _ ledger: SQLiteLedger, _ folder: RunFolder, _ record: RunRecord?
  ) async throws {
    let identity = try await ledger.note(RunRecord.identityNote)
    let hasJobs = try await ledger.lastChunk(stage: StageName.ingest.rawValue) != nil
    if let record {
      // A run that was killed before its first job is its own ledger's for all that.
      if identity == record.identity { return }
      throw damage(
        folder,
        hasJobs
          ? "it is another run's: run.json does not name it"
          : "it is a new one without jobs, and the files of a run are here")
    }
    if !hasJobs {
      throw damage(folder, "it is a new one without jobs, and the files of a run are here")
    }
  }

  /// Whether stages have published something in the folder.
  package static func hasOutputs(_ folder: RunFolder) throws -> Bool {
    try hasOutputs(folder, ["chunks", "fetched", "shards"])
  }

  /// Whether stages after ingest have.
  package static func hasResults(_ folder: RunFolder) throws -> Bool {
    try hasOutputs(folder, ["fetched", "shards"])
  }

  private static func hasOutputs(_ folder: RunFolder, _ parts: [String]) throws -> Bool {
    for name in parts {
      let isOutput = try DurableFile.names(in: "\(folder.path)/\(name)").contains { file in
        !file.hasSuffix(".tmp") && file.prefix { $0.isASCII && $0.isNumber }.count >= 5
          && !DurableFile.isFolder("\(folder.path)/\(name)/\(file)")
      }
      if isOutput { return true }
    }
    return false
  }
}
