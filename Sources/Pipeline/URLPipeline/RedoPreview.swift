import DurableFiles
import JobLedger
import PipelineCore

/// What doing a stage of a run again would take, and whether that is there.
struct RedoPreview: Sendable {
  private let folder: RunFolder
  private let isScored: Bool
  /// Of completed jobs.
  private let reports: [StageName: [(chunk: Int, report: StageReport)]]
  private let generations: RunGenerations
  /// Whether a retry has been begun whose rows are not chosen yet.
  private let isChoosing: Bool

  init(_ folder: RunFolder, _ ledger: any Ledger, isScored: Bool) async throws {
    self.folder = folder
    self.isScored = isScored
    let context = StageContext(folder: folder, ledger: ledger)
    var reports: [StageName: [(chunk: Int, report: StageReport)]] = [:]
    for stage in [StageName.ingest, .download, .decode, .shard] {
      reports[stage] = try await context.reports(stage)
    }
    self.reports = reports
    generations = RunGenerations(ingest: reports[.ingest] ?? [])
    let last = try await ledger.lastChunk(stage: StageName.ingest.rawValue) ?? 0
    let state = try await ledger.state(of: PipelinePlan.name(.ingest, last))
    isChoosing = last > 0 && state?.isSettled == false
  }

  /// The stages that are done with `stage`, in order.
  func stages(from stage: StageName) -> [StageName] {
    StageName.allCases.filter { $0.rank >= stage.rank && ($0 != .score || isScored) }
  }

  /// Why a stage cannot be done again; nil where it can.
  func obstacle(_ stage: StageName) throws -> RedoError? {
    if stage == .ingest { return .list(folder: folder.path) }
    // What the rows of a retry are chosen by must stand still meanwhile.
    if isChoosing && stage.rank < StageName.shard.rank {
      return .retryUnfinished(folder: folder.path, stage: stage)
    }
    switch stage {
    case .download:
      let isRetried = generations.all.contains { $0.number > 0 && !$0.chunks.isEmpty }
      return isRetried ? .retried(folder: folder.path, stage: stage) : nil
    case .decode:
      // Rows that failed on the web keep failing there: only what failed as a picture may turn out well.
      if generations.all.contains(where: { $0.retriedFetched > 0 }) {
        return .retried(folder: folder.path, stage: stage)
      }
      return try missing(.fetched, of: .download, for: stage)
    case .deduplicate: return try missing(.decoded, of: .decode, for: stage)
    case .shard:
      let there = try folder.chunksWithBytes(of: .decoded)
      // One that was given up may be given up once more.
      let gone = chunks(keptBy: .shard).filter {
        !there.contains($0) && ShardFiles.shard($0, in: folder.shards) == nil
      }
      return gone.isEmpty ? nil : .shardsGone(folder: folder.path, chunks: gone)
    case .ingest, .score, .filter: return nil
    }
  }

  private func missing(
    _ kind: Intermediate, of maker: StageName, for stage: StageName
  ) throws -> RedoError? {
    let gone = Set(chunks(keptBy: maker)).subtracting(try folder.chunksWithBytes(of: kind))
    if gone.isEmpty { return nil }
    return .inputsGone(
      folder: folder.path, stage: stage, chunks: gone.count,
      instead: try way(from: stage == .decode ? .download : .decode))
  }

  private func chunks(keptBy stage: StageName) -> [Int] {
    (reports[stage] ?? []).filter { $0.report.kept > 0 }.map(\.chunk)
  }

  /// The latest stage, `stage` or one before it, that can be done again; nil where none can.
  func way(from stage: StageName) throws -> StageName? {
    for earlier in StageName.allCases.reversed()
    where earlier.rank <= stage.rank && earlier != .ingest {
      if try obstacle(earlier) == nil { return earlier }
    }
    return nil
  }

  /// What doing a stage again costs, for a person.
  func cost(_ stage: StageName) -> String {
    let names = stages(from: stage).map(\.rawValue)
    let list =
      names.count < 2
      ? names.joined()
      : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    let rest =
      switch stage {
      case .ingest: ""
      case .download:
        ": the web is asked for \(Self.count(asked, "picture")) again, and what has changed there"
          + " changes in the result"
      case .decode: ", with the bytes that were kept; the web is not asked"
      case .deduplicate: ", with the decoded pictures that were kept; the web is not asked"
      case .shard: ", with the pictures of the run's own shards; the web is not asked"
      case .score, .filter: "; shards/ stays as it is, and the web is not asked"
      }
    return "does \(list) again" + rest
  }

  private var asked: Int { (reports[.download] ?? []).reduce(0) { $0 + $1.report.input } }

  private static func count(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
  }

  /// What may be done about options that differ from `stage` on, in a sentence each.
  func choices(_ stage: StageName) throws -> [String] {
    let usual = [
      "the old options: they go on with this run",
      "pairloom run … --folder NEW: a new run with the new options",
    ]
    guard stage != .ingest else {
      return usual + ["(no --redo: the list is taken in once, and all else goes by its chunks)"]
    }
    guard let way = try way(from: stage) else {
      guard let obstacle = try obstacle(stage) else { return usual }
      return usual + ["(no --redo here: \(Self.reason(obstacle, folder))" + ")"]
    }
    var choice = "pairloom run … --redo \(way.rawValue): \(cost(way))"
    if way != stage, case .inputsGone(_, _, let chunks, _) = try obstacle(stage) {
      choice +=
        " (--redo \(stage.rawValue) is not enough: \(RedoError.gone(stage, chunks)); the recipe's"
        + " `keep` keeps them)"
    }
    return usual + [choice]
  }

  /// An obstacle without the folder that the message begins with.
  private static func reason(_ obstacle: RedoError, _ folder: RunFolder) -> String {
    let text = obstacle.description
    return text.hasPrefix(folder.path + ": ") ? String(text.dropFirst(folder.path.count + 2)) : text
  }
}
