import PipelineCore

/// What a process has seen of a generation's plan, so that it looks at all of it but once: a chunk then looks
/// at its own tables.
///
/// Tables of other chunks change only where a job that made them is done again. While none is, as many have
/// settled as had; and one that is done again brings a plan for the chunk that it is of.
struct SeenPlan {
  /// What a chunk's part of the plan is made of.
  struct Tables: Equatable {
    var decoded: FileStamp?
    var list: FileStamp?

    init(_ chunk: Int, _ run: RunFolder, _ looks: FileLooks) {
      decoded = looks.stamp(run.decodedTable(chunk))
      list = looks.stamp(run.chunkTable(chunk))
    }
  }

  private let chunks: Range<Int>
  /// By place in `chunks`.
  private let tables: [Tables]
  private let settled: SettledJobs
  /// The chunks of earlier generations that kept nothing.
  private let givenUp: Set<Int>
  private let note: FileStamp?
  private let forgotten: FileStamp?

  /// - Parameters:
  ///   - chunks: Of the generation.
  ///   - tables: As they were before the plan was made of them.
  ///   - settled: Jobs of decoding, likewise.
  ///   - givenUp: Chunks of earlier generations that kept nothing.
  ///   - run: Where the plan is.
  ///   - looks: Counts.
  init(
    chunks: Range<Int>, tables: [Tables], settled: SettledJobs, givenUp: Set<Int>, _ run: RunFolder,
    _ looks: FileLooks
  ) {
    self.chunks = chunks
    self.tables = tables
    self.settled = settled
    self.givenUp = givenUp
    note = looks.stamp(Self.note(in: run))
    forgotten = looks.stamp(run.forgotten)
  }

  /// Whether the plan still speaks for a chunk.
  func holds(
    for chunk: Int, _ now: SettledJobs?, without givenUp: Set<Int>, _ run: RunFolder,
    _ looks: FileLooks
  ) -> Bool {
    guard chunks.contains(chunk), now == settled, note != nil,
      givenUp.filter({ $0 < chunks.lowerBound }) == self.givenUp
    else { return false }
    return looks.stamp(Self.note(in: run)) == note && looks.stamp(run.forgotten) == forgotten
      && Tables(chunk, run, looks) == tables[chunk - chunks.lowerBound]
  }

  /// What the plan follows from, in a word; written when all of it is there.
  static func note(in run: RunFolder) -> String { "\(run.duplicates)/plan/plan.json" }
}
