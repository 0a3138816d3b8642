import JobLedger
import PipelineCore
import URLPipeline

/// The ledger held against itself, and against what the files say of each job.
struct LedgerComparison {
  let facts: RunFacts
  let status: RunStatus
  let found: ProblemList
  /// The record, and what the ledger says of the same; nil where there is no record that can be read.
  let records: (file: RunRecord, ledger: RunRecord)?

  private static let file = "ledger.sqlite"
  /// Problems after which the ledger is bad enough.
  private static let most = 20

  /// What is wrong with the ledger of a run by itself.
  ///
  /// - Parameter folder: The run's.
  /// - Returns: Nothing where it can be worked with.
  /// - Throws: `NoRunError`, and `LedgerError` where it is not the ledger that is at fault.
  static func faults(of folder: RunFolder) async throws -> [VerificationReport.Problem] {
    var words: [String] = []
    do {
      let ledger = try await RunLedger.open(folder)
      words = try await ledger.faults(isThorough: true)
      if words.isEmpty { words = try await unreadable(ledger) }
      // Before anything is done by what a note says.
      if let records = try await RunRecord.both(of: folder, ledger),
        // Killed between the two, a command leaves the record behind the ledger.
        records.file.revision >= records.ledger.revision
      {
        words += records.file.changed(in: records.ledger).prefix(most)
          .map { "its \($0) is not that of run.json" }
      }
    } catch LedgerError.damaged(_, let message) {
      words = [message]
    }
    guard !words.isEmpty else { return [] }
    let record = try unlessDamaged { try RunRecord.read(folder)?.recipe() } ?? nil
    let repair: Repair =
      record == nil
      ? .byHand("\(RecoveryError.withoutRecord(folder: folder.path))") : .ledger
    return words.map { .init(file, $0, repair) }
  }

  private static func unreadable(_ ledger: any Ledger) async throws(LedgerError) -> [String] {
    var words: [String] = []
    for stage in StageName.allCases {
      for (chunk, counts) in try await ledger.counts(stage: stage.rawValue)
      where words.count < most {
        // Any text that is no report.
        if (try? StageReport.decoded(counts)) == nil {
          words.append("what \(stage.rawValue) \(chunk) has counted cannot be read")
        }
      }
    }
    return words
  }

  /// Names what the ledger says and the files, which agree with each other, do not.
  ///
  /// Nothing is held against a job whose files are damaged themselves, and nothing in a run whose
  /// options were never noted.
  ///
  /// - Parameter threads: Chunks that are looked at at a time.
  /// - Throws: `FileError`.
  func run(threads: Int) throws {
    checkJobs()
    checkRecord()
    guard let record = records?.file,
      let survey = try unlessDamaged({
        try RunSurvey(facts.folder, record, facts: facts, threads: threads)
      })
    else { return }
    var count = 0
    for stage in StageName.allCases {
      for (chunk, files) in (survey.reports[stage] ?? [:]).sorted(by: { $0.key < $1.key }) {
        guard count < Self.most, let ledger = facts.report(stage, chunk),
          !Self.agree(ledger, files)
        else { continue }
        count += 1
        found.add(
          Self.file,
          "\(stage.rawValue) \(chunk) has counted \(try ledger.encoded()), its files say"
            + " \(try files.encoded())", .ledger)
      }
    }
  }

  /// Holds the notes against `run.json`, which follows the ledger at once.
  private func checkRecord() {
    // Killed between the two, a command leaves the record behind the ledger.
    if let records, !records.ledger.changed(in: records.file).isEmpty {
      found.add("run.json", "it is older than the ledger", .record)
    }
  }

  /// Whether a report says what the files do; it may say more.
  ///
  /// A program of before a fact was counted, and an import, leave it out; but a fact that is missing
  /// while another stands there that no file tells is one whose name is damaged.
  private static func agree(_ ledger: StageReport, _ files: StageReport) -> Bool {
    ledger.input == files.input && ledger.kept == files.kept && ledger.dropped == files.dropped
      && ledger.shard == files.shard
      && files.facts.allSatisfy { name, count in
        ledger.facts[name].map { $0 == count }
          ?? ledger.facts.keys.allSatisfy(files.facts.keys.contains)
      }
  }

  /// Every chunk of a generation has its jobs, and every generation its filter job.
  private func checkJobs() {
    let chunks = facts.generations.chunkCount
    for stage in StageName.allCases where stage != .ingest {
      let count = (status.jobs[stage.rawValue] ?? [:]).values.reduce(0, +)
      if stage == .score && count == 0 { continue }
      let expected = stage == .filter ? facts.generations.all.count : chunks
      if count != expected {
        found.add(
          Self.file, "it has \(count) jobs of \(stage.rawValue), the run has \(expected)", .ledger)
      }
    }
  }
}
