import JobLedger
import PipelineCore

/// What the ledger has to say of a pair's jobs.
extension StoryTeller {
  /// A fact for each attempt at a job of the pair's chunk, and for each job without one.
  func jobs(of record: PairRecord) async throws -> [PairStory.Fact] {
    let stages: [StageName] = [.download, .decode, .deduplicate, .shard, .score]
    let names =
      stages.map { JobName(stage: $0.rawValue, chunk: record.chunk) } + [
        JobName(stage: StageName.filter.rawValue, chunk: run.filterJob(of: record.chunk))
      ]
    return try await run.ledger.stories(of: names).flatMap(facts)
  }

  private func facts(_ job: JobStory) -> [PairStory.Fact] {
    let head: [JSONValue.Member] = [
      .init("stage", .string(job.name.stage)), .init("chunk", .int(job.name.chunk)),
      .init("state", .string(job.state.rawValue)),
    ]
    var facts = job.attempts.map { attempt in
      var words = "attempt \(attempt.attempt) \(Self.words(attempt.outcome))"
      if let end = attempt.endedAt {
        words += " in \(Self.seconds(Double(end - attempt.startedAt) / 1_000))"
      }
      words +=
        ", begun \(LocalTime.local(attempt.startedAt)), process \(attempt.pid) on"
        + " \(attempt.host)"
      if let error = attempt.error { words += ": \(error)" }
      return PairStory.Fact(
        job.name.stage, words,
        .object(
          head + [
            .init("attempt", .int(attempt.attempt)), .init("host", .string(attempt.host)),
            .init("pid", .int(attempt.pid)), .init("worker", .string(attempt.worker)),
            .init("started_at", .int(attempt.startedAt)),
            .init("ended_at", attempt.endedAt.map { .int($0) } ?? .null),
            .init("outcome", .string(attempt.outcome.rawValue)),
            .init("error", attempt.error.map { .string($0) } ?? .null),
          ]))
    }
    if let words = Self.words(job) {
      facts.append(.init(job.name.stage, words, .object(head)))
    }
    return facts
  }

  private static func words(_ outcome: JobAttempt.Outcome) -> String {
    switch outcome {
    case .running: "is under way"
    case .completed: "completed"
    case .failed: "failed"
    case .released: "was handed back"
    case .expired: "was given up: nothing was heard of it"
    case .ownerDied: "ended with its process, which died"
    }
  }

  /// What is to be said of a job beside its attempts; nil where they say it all.
  private static func words(_ job: JobStory) -> String? {
    switch job.state {
    case .completed: job.attempts.isEmpty ? "completed; by whom is not known here" : nil
    case .leased: nil
    case .waiting: "waits for other jobs"
    case .available: "waits for a worker"
    case .retryable:
      "will be tried again" + (job.notBefore.map { ", not before \(LocalTime.words($0))" } ?? "")
    case .quarantined:
      job.attempts.isEmpty
        ? "given up, as a job that it needs was given up" : "given up (quarantined)"
    }
  }
}
