package import JobLedger

/// The chunks that were given up and handed back, by a note in the ledger.
///
/// Chunks behind such a one were deduplicated as if it held nothing. When it has been deduplicated
/// itself, those that hold one of its pictures are done again, so that the result is that of a run in
/// which no chunk was given up.
package enum ReleasedChunks {
  package static let note = "released.chunks"

  package static func read(_ ledger: any Ledger) async throws -> Set<Int> {
    guard let text = try await ledger.note(note) else { return [] }
    guard case .array(let numbers) = try JSONValue.parse(Array(text.utf8)) else { return [] }
    return Set(numbers.compactMap(\.integer))
  }

  /// The note's text.
  package static func text(_ chunks: Set<Int>) -> String {
    JSONValue.array(chunks.sorted().map { .int($0) }).serialized
  }

  /// The stages that rest on what a chunk's deduplication says.
  private static let stages: [StageName] = [.deduplicate, .shard, .score]

  /// Hands the jobs of `chunks` back from deduplication on.
  ///
  /// Waits while one of them, or a download that waits for one, is in work: those never wait for the
  /// job that asks for this.
  static func redo(_ chunks: [Int], in ledger: any Ledger) async throws {
    var jobs: [JobName] = []
    for chunk in chunks {
      for stage in stages {
        let job = JobName(stage: stage.rawValue, chunk: chunk)
        if try await ledger.state(of: job) != nil { jobs.append(job) }
      }
    }
    while true {
      do {
        try await ledger.reopen(jobs)
        return
      } catch LedgerError.busy {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }
}
