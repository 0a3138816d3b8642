import DurableFiles
import IngestStage
import PipelineCore
import TableQuery
import WorkerThreads

/// The first job of the list and of each retry: it makes the chunks that the other stages work on.
///
/// Job 0 takes the list in. Job g > 0 is the retry of that number: it reads the tables of all
/// generations before it and writes the rows to ask for again to new chunks, each with its old row
/// number and uid. A row that has an equal URL in an earlier one stays that one's duplicate: the
/// earlier is asked for again under its own row.
struct FirstStage: Stage {
  let name = StageName.ingest
  let lane = Lane.compute
  let ingest: IngestStage
  let chunkRows: Int
  /// The expression of a retry.
  let expression: @Sendable (_ generation: Int) async throws -> String
  /// Holds what follows from the list against the options, once it is taken in.
  let check: @Sendable (RunFolder) throws -> Void

  func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    if chunk.number == 0 {
      let report = try await ingest.run(chunk, in: run)
      try check(run.folder)
      return report
    }
    let generation = chunk.number
    let query = try TableQuery(
      columns: FetchTable.columns, where: try await expression(generation))
    let reader = try await FetchTableReader(run, before: generation)
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached {
        try write(generation, reader, query, into: run.folder, flag)
      }
    }
  }

  private func write(
    _ generation: Int, _ reader: FetchTableReader, _ query: TableQuery, into folder: RunFolder,
    _ flag: CancellationFlag
  ) throws -> StageReport {
    let first = reader.chunks.upperBound
    var next = first
    var rows: [PairCandidate] = []
    var facts: [String: Int] = [:]
    func publish() throws {
      try flag.check()
      rows.sort { $0.row < $1.row }
      try JSONLines.write(rows.map(\.json), to: folder.chunkTable(next))
      rows = []
      next += 1
    }
    let selection = try RetrySelection.make(reader, query) { entry, reason, wasFetched in
      rows.append(entry.candidate)
      func count(_ fact: String) {
        facts[RunGenerations.fact(fact, ofChunk: next), default: 0] += 1
      }
      count(RunGenerations.retriedReasonPrefix + reason.rawValue)
      if wasFetched { count(RunGenerations.retriedFetchedFact) }
      if entry.isTransient {
        let byReason = RunGenerations.retriedTransientPrefix + reason.rawValue
        count(RunGenerations.retriedTransientFact)
        count(byReason)
        facts[byReason, default: 0] += 1
      }
      if rows.count == chunkRows { try publish() }
    }
    if !rows.isEmpty { try publish() }
    facts[RunGenerations.generationFact] = generation
    facts[RunGenerations.firstChunkFact] = first
    facts[RunGenerations.chunksFact] = next - first
    facts[RunGenerations.retriedFact] = selection.count
    facts[RunGenerations.retriedFetchedFact] = selection.fetched
    facts[RunGenerations.retriedTransientFact] = selection.transient
    facts[RunGenerations.previousFact] = reader.lastGeneration
    for (reason, count) in selection.mayHeal {
      facts[RunGenerations.retriedReasonPrefix + reason.rawValue] = count
    }
    // The rows of the list are the list's; none comes in here.
    let report = StageReport(input: 0, kept: 0, facts: facts)
    // No chunk's own table tells to which retry it belongs.
    try DurableFile.write(try report.encoded() + "\n", to: folder.retryReport(generation))
    return report
  }
}
