import FoundationEssentials
public import JobLedger

extension StageReport {
  /// The report as JSON text with sorted keys, as the ledger keeps it.
  package func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// The report that ``encoded()`` gave.
  package static func decoded(_ text: String) throws -> StageReport {
    try JSONDecoder().decode(StageReport.self, from: Data(text.utf8))
  }
}

extension StageContext {
  /// A context whose reports come from `ledger`.
  public init(folder: RunFolder, ledger: any Ledger) {
    self.init(
      folder: folder,
      report: { stage, chunk in
        let name = JobName(stage: stage.rawValue, chunk: chunk)
        return try await ledger.counts(of: name)
          .map { try StageReport.decoded($0, of: name, in: ledger) }
      }
    ) { stage in
      try await ledger.counts(stage: stage.rawValue).map {
        (
          $0.chunk,
          try StageReport.decoded(
            $0.counts, of: JobName(stage: stage.rawValue, chunk: $0.chunk), in: ledger)
        )
      }
    }
    settled = { stage in
      let jobs = try await ledger.tally()[stage.rawValue] ?? [:]
      return SettledJobs(completed: jobs[.completed] ?? 0, givenUp: jobs[.quarantined] ?? 0)
    }
    givenUp = { try await ledger.givenUpChunks(stage: $0.rawValue) }
    wasReleased = { chunk in try await ReleasedChunks.read(ledger).contains(chunk) }
    redo = { chunks in try await ReleasedChunks.redo(chunks, in: ledger) }
  }
}

extension StageReport {
  /// The report of a job, as a ledger keeps it.
  ///
  /// - Throws: `LedgerError.damaged` where the text is none.
  package static func decoded(
    _ text: String, of name: JobName, in ledger: any Ledger
  ) throws(LedgerError) -> StageReport {
    do {
      return try decoded(text)
    } catch {
      throw .damaged(path: ledger.path, message: "what \(name) has counted cannot be read")
    }
  }
}
