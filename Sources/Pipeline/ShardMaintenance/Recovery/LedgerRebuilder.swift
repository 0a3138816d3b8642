import DurableFiles
import JobLedger
package import PipelineCore
import URLPipeline
import WorkerThreads

/// Makes a run's ledger again from `run.json` and the files of its stages.
///
/// The damaged file is set aside, never removed: `ledger.sqlite.damaged-N`, with what SQLite has beside
/// it. The new one is whole before it has the ledger's name; killed at any moment, the repair is ended by
/// the next one, and until then every command finds the ledger missing. What it cannot have again is the
/// history of attempts and the time that was worked.
package enum LedgerRebuilder {
  private static let endings = ["", "-wal", "-shm", "-journal"]

  /// Makes the ledger of the run in `folder` again.
  ///
  /// Reads all tables and shards once, the bodies of chunks that are not decoded, and the web never.
  ///
  /// - Parameters:
  ///   - folder: The run's, which nobody works on.
  ///   - threads: Chunks that are looked at at a time.
  ///   - now: Milliseconds since 1970.
  ///   - afterStep: Called when a file has been made or moved; a test stops there.
  /// - Returns: What was done, in a line each.
  /// - Throws: ``RecoveryError``, and nothing is changed, where the files do not tell enough.
  package static func rebuild(
    _ folder: RunFolder, threads: Int, now: Int,
    afterStep: @Sendable () throws -> Void = {}
  ) async throws -> [String] {
    if let process = LedgerFile.holder(of: folder.ledger) {
      throw RecoveryError.atWork(folder: folder.path, process: process)
    }
    guard let record = try record(of: folder) else {
      throw RecoveryError.withoutRecord(folder: folder.path)
    }
    let survey = try await Parallel.detached {
      try RunSurvey(folder, record, threads: threads)
    }
    let jobs = try survey.jobs()
    let path = "\(folder.ledger).rebuilt"
    for ending in endings { try DurableFile.remove(path + ending) }
    try await write(jobs, record, to: path, now: now)
    try afterStep()
    var lines =
      try setAside(folder, afterStep).map { ["set the damaged ledger aside: \($0)"] } ?? []
    try DurableFile.move(path, to: folder.ledger)
    try afterStep()
    // The new ledger counts its changes from its own beginning.
    try await RunRecord.update(folder, from: try await RunLedger.open(folder))
    let done = jobs.count { $0.counts != nil }
    lines.append(
      "made the ledger again from the files: \(done) of \(jobs.count) jobs are done")
    for chunk in survey.superseded.sorted() {
      lines.append(
        "gave chunk \(chunk) up: its files are not whole, and a retry has its rows since")
    }
    return lines
  }

  /// What the run has noted beside its ledger; one that cannot be read is like none: which, verify has
  /// told.
  private static func record(of folder: RunFolder) throws -> RunRecord? {
    try unlessDamaged { try RunRecord.read(folder) } ?? nil
  }

  /// Whether a ledger of this folder cannot be made again for want of the run's options.
  static func lacksRecord(_ folder: RunFolder) throws -> Bool { try record(of: folder) == nil }

  private static func write(
    _ jobs: [RestoredJob], _ record: RunRecord, to path: String, now: Int
  ) async throws {
    let ledger = try SQLiteLedger(path: path)
    let (configuration, notes) = record.pairs
    try await ledger.restore(jobs, configuration: configuration, notes: notes, now: now)
    try await ledger.close()
  }

  /// Gives the damaged ledger another name.
  ///
  /// - Returns: The name; nil where nothing of a ledger was there.
  private static func setAside(
    _ folder: RunFolder, _ afterStep: () throws -> Void
  ) throws -> String? {
    func name(_ number: Int) -> String { "\(folder.ledger).damaged-\(number)" }
    var number = 1
    while endings.contains(where: { DurableFile.exists(name(number) + $0) }) { number += 1 }
    // A repair that was killed between two of the files: the rest goes with the first.
    if number > 1, !DurableFile.exists(folder.ledger) { number -= 1 }
    var isFound = false
    for ending in endings where DurableFile.exists(folder.ledger + ending) {
      if DurableFile.exists(name(number) + ending) { number += 1 }
      try DurableFile.move(folder.ledger + ending, to: name(number) + ending)
      isFound = true
      try afterStep()
    }
    let file = name(number).split(separator: "/").last.map(String.init)
    return isFound ? file : nil
  }
}
