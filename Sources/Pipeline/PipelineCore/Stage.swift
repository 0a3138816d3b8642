public import PairDataset

/// The steps of a pipeline in order; the order is also the rank of their jobs.
public enum StageName: String, Codable, Sendable, CaseIterable {
  case ingest, download, decode, deduplicate, shard, score, filter

  /// Later stages go first, so that what was begun is finished before more is begun.
  public var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What a stage mostly waits for; a worker runs one job of each lane at a time.
public enum Lane: String, Sendable, CaseIterable { case network, compute }

/// The unit of work: the rows `number·chunk_rows ..< (number+1)·chunk_rows` of the list.
public struct Chunk: Sendable, Equatable {
  public var number: Int
  /// The attempt of the ledger; only `fetched/` may show it.
  public var attempt: Int

  public init(number: Int, attempt: Int) {
    self.number = number
    self.attempt = attempt
  }
}

/// What a stage did with a chunk: what came in, what was kept, and why the rest was not.
public struct StageReport: Codable, Sendable, Equatable {
  public var input: Int
  public var kept: Int
  public var dropped: [String: Int]
  /// Further counts by name, such as `rows` or `bytes`.
  public var facts: [String: Int]
  /// The shard that was written, where there is one.
  public var shard: ShardSummary?

  /// The fact by which a download names the attempt whose files are its output.
  public static let attemptFact = "attempt"
  /// The fact by which a download counts what failed and may heal by itself.
  public static let transientFact = "transient"
  /// `transient.REASON`: what failed for the reason and may heal by itself.
  public static let transientPrefix = "transient."
  /// The fact by which a download counts the bytes that came over the wire.
  public static let receivedBytesFact = "received_bytes"

  public init(
    input: Int, kept: Int, dropped: [DropReason: Int] = [:], facts: [String: Int] = [:],
    shard: ShardSummary? = nil
  ) {
    self.input = input
    self.kept = kept
    self.dropped = Dictionary(
      uniqueKeysWithValues: dropped.filter { $0.value > 0 }.map { ($0.key.rawValue, $0.value) })
    self.facts = facts
    self.shard = shard
    precondition(
      kept + self.dropped.values.reduce(0, +) == input,
      "kept \(kept) + dropped \(self.dropped) is not the input \(input)")
  }
}

/// One step of a pipeline.
///
/// The worker claims, renews and completes the job; a stage only computes. Running it again on the
/// same chunk gives the same bytes, `fetched/` aside.
public protocol Stage: Sendable {
  var name: StageName { get }
  var lane: Lane { get }

  /// Reads the chunk, publishes its outputs under the run's folder, and reports what it kept.
  ///
  /// - Throws: Any error fails the attempt: the chunk is tried again, and in the end quarantined; a
  ///   ``LastingError`` quarantines it at once.
  func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport
}

/// How many jobs have settled, and how.
public struct SettledJobs: Sendable, Equatable {
  public var completed: Int
  public var givenUp: Int

  public init(completed: Int, givenUp: Int) {
    self.completed = completed
    self.givenUp = givenUp
  }
}

/// What a stage may know of the run around its chunk.
public struct StageContext: Sendable {
  public var folder: RunFolder
  /// The reports of the completed jobs of a stage, by chunk.
  public var reports: @Sendable (StageName) async throws -> [(chunk: Int, report: StageReport)]
  /// The report of a chunk's completed job; nil when it has not completed.
  public var report: @Sendable (StageName, Int) async throws -> StageReport?
  /// The chunks whose job of a stage was given up.
  public var givenUp: @Sendable (StageName) async throws -> Set<Int> = { _ in [] }
  /// How many jobs of a stage have settled, at next to no cost; nil where nobody counts.
  public var settled: @Sendable (StageName) async throws -> SettledJobs? = { _ in nil }
  /// The big files that stay when no job of the run will read them any more.
  public var keep: Set<Intermediate> = []
  /// The stage that frees the bodies: deduplication, or decoding where deduplication comes late.
  public var lastReaderOfBodies = StageName.deduplicate
  /// Whether a chunk was given up and handed back, so that later ones were deduplicated without it.
  public var wasReleased: @Sendable (_ chunk: Int) async throws -> Bool = { _ in false }
  /// Hands completed chunks back from their deduplication on.
  public var redo: @Sendable (_ chunks: [Int]) async throws -> Void = { _ in }
  /// Throws where another has taken the chunk over.
  ///
  /// To be asked before a file is replaced that later jobs write, too: an attempt that was stopped for
  /// a day must not put the day before in its place.
  public var requireLease: @Sendable () async throws -> Void = {}

  public init(
    folder: RunFolder,
    report: @escaping @Sendable (StageName, Int) async throws -> StageReport? = { _, _ in nil },
    reports: @escaping @Sendable (StageName) async throws -> [(chunk: Int, report: StageReport)]
  ) {
    self.folder = folder
    self.report = report
    self.reports = reports
  }

  /// The attempt that completed a chunk's download, whose files are the ones to read.
  public func downloadAttempt(of chunk: Int) async throws -> Int {
    guard let attempt = try await report(.download, chunk)?.facts[StageReport.attemptFact] else {
      throw StageError(.download, chunk: chunk, "the ledger has no completed download of it")
    }
    return attempt
  }
}

/// Gives scores to pairs: the one way by which a model reaches the pipeline.
public protocol PairScorer: Sendable {
  /// The folder under `scores/`, without slashes.
  var name: String { get }
  /// What made the scores: weights, tokenizer, preprocessing, by name.
  var provenance: [String: String] { get }
  /// What else is known of it, for the footers of tables; no part of what tells two scorers apart.
  var facts: [String: String] { get }
  /// The cosine between image and caption of each pair, in order.
  func scores(of pairs: [Pair]) async throws -> [Float]
  /// The same, where pairs that cannot be scored are outcomes rather than errors.
  func outcomes(of pairs: [Pair]) async throws -> [PairScore]
}

/// An error that every further attempt would meet as well: its job is given up at once.
public protocol LastingError: Error {}

/// An error of the machine or the set-up, which every other chunk would meet as well: the run stops.
///
/// The job is handed back, so that it is done when the cause is mended and the run resumed.
public protocol RunFault: Error {}

/// Why a stage gave up on a chunk.
public struct StageError: Error, Sendable, Equatable, CustomStringConvertible {
  public var stage: StageName
  public var chunk: Int
  public var problem: String

  public init(_ stage: StageName, chunk: Int, _ problem: String) {
    self.stage = stage
    self.chunk = chunk
    self.problem = problem
  }

  public var description: String { "\(stage.rawValue) \(chunk): \(problem)" }
}
