import ContentHashing
import Deduplication
import DurableFiles
import PipelineCore

/// What becomes of all pairs of the list, or of a retry, where that can be said only when every picture is
/// there: which of several is the best, and which stand under many captions.
///
/// Made once for all chunks, whichever is judged first, and published in `duplicates/plan/`: a table of
/// verdicts for each chunk, then a note of what they follow from. Pairs of later generations are held
/// against what is kept already, and nothing of that changes. Memory: some 600 bytes for each pair of the
/// generation and its caption, with placeholders those of all generations.
struct GenerationPlan {
  private let run: RunFolder
  private let rules: DuplicateRules
  /// What the pairs are held against beside one another, in a word.
  private let references: String
  private let threads: Int
  private let forgotten: ForgottenPairs
  private let generation: RunGenerations.Generation
  private let givenUpDecodes: Set<Int>
  private let decoded: Set<Int>

  /// - Throws: `StageError` while pictures of the generation are still to come.
  init(
    of chunk: Int, in run: StageContext, _ rules: DuplicateRules,
    references: String, threads: Int, _ forgotten: ForgottenPairs
  ) async throws {
    self.run = run.folder
    self.rules = rules
    self.references = references
    self.threads = threads
    self.forgotten = forgotten
    let generations = RunGenerations(ingest: try await run.reports(.ingest))
    guard let mine = generations.all.last(where: { $0.chunks.contains(chunk) }) else {
      throw StageError(.deduplicate, chunk: chunk, "no generation of the run has this chunk")
    }
    generation = mine
    givenUpDecodes = try await run.givenUp(.decode)
    decoded = Set(try await run.reports(.decode).map(\.chunk))
    if let missing = mine.chunks.first(where: {
      !decoded.contains($0) && !givenUpDecodes.contains($0)
    }) {
      throw StageError(
        .deduplicate, chunk: chunk,
        "the pictures of chunk \(missing) are still to come, and duplicates.keep and placeholders go by"
          + " all")
    }
  }

  private var notePath: String { "\(run.duplicates)/plan/plan.json" }

  /// Makes the plan where there is none that follows from what there is.
  func makeIfNeeded(_ keeper: IndexKeeper, without givenUp: Set<Int>) throws {
    let identity = identity(without: givenUp)
    // A note that cannot be read speaks for no plan, and it is made again.
    if DurableFile.exists(notePath), let text = try? DurableFile.read(notePath),
      String(decoding: text, as: UTF8.self) == identity
    {
      return
    }
    try DurableFile.makeFolder("\(run.duplicates)/plan")
    try DurableFile.remove(notePath)
    let judge = try keeper.judge(
      before: generation.chunks.lowerBound, without: givenUp, forgotten)
    judge.placeholders = try placeholders()
    try publish(try verdicts(judge))
    // Last: where it is, the tables are.
    try DurableFile.write(identity, to: notePath)
  }

  /// The chunks whose pictures count.
  private var chunks: [Int] { generation.chunks.filter { decoded.contains($0) } }

  /// What the plan follows from, in a word.
  private func identity(without givenUp: Set<Int>) -> String {
    var stamps = FileStamps()
    stamps.add(word: "\(generation.number) \(rules)")
    stamps.add(word: references)
    let first = rules.placeholderCaptions == nil ? generation.chunks.lowerBound : 0
    for chunk in first..<generation.chunks.upperBound {
      if !decoded.contains(chunk) { stamps.add(word: "no \(chunk)") }
      stamps.add(run.decodedTable(chunk))
      stamps.add(run.chunkTable(chunk))
    }
    for chunk in 0..<generation.chunks.lowerBound {
      if givenUp.contains(chunk) { stamps.add(word: "not \(chunk)") }
      stamps.add(run.verdictTable(chunk))
    }
    stamps.add(run.forgotten)
    return stamps.digest
  }

  /// The verdicts on all pairs, each in the order in which it counts.
  private func verdicts(_ judge: DuplicateJudge) throws -> [Int: Verdict] {
    var pairs: [JudgedPair] = []
    for chunk in chunks {
      try Task.checkCancellation()
      pairs += try read(chunk)
      // What cannot be kept any more takes nothing else with it.
      judge.standing.merge(DeduplicateStage.standing(chunk, in: run)) { first, _ in first }
    }
    // The best first, and of equals the first row.
    pairs.sort { ($1.quality, $0.row) < ($0.quality, $1.row) }
    var verdicts: [Int: Verdict] = [:]
    verdicts.reserveCapacity(pairs.count)
    let first = generation.chunks.lowerBound
    for (number, start) in stride(from: 0, to: pairs.count, by: Self.batch).enumerated() {
      let slice = Array(pairs[start..<min(start + Self.batch, pairs.count)])
      for verdict in try judge.judge(slice, batch: first + number) {
        verdicts[verdict.row] = verdict
      }
    }
    return verdicts
  }

  private static let batch = 4_096

  private func read(_ chunk: Int) throws -> [JudgedPair] {
    try ChunkPairs(chunk, in: run, rules, forgotten).pairs.map { pair in
      var pair = pair
      pair.url = ""
      return pair
    }
  }

  private func publish(_ verdicts: [Int: Verdict]) throws {
    for chunk in chunks {
      let rows = try ChunkPairs(chunk, in: run, rules, forgotten).pairs.map { pair in
        guard let verdict = verdicts[pair.row] else {
          throw StageError(.deduplicate, chunk: chunk, "the plan has no row \(pair.row)")
        }
        return verdict.json
      }
      try PairTable.write(rows, columns: Verdict.columns, to: run.plannedTable(chunk))
    }
  }

  /// The pairs whose picture stands under at least so many captions, with their number, by row.
  ///
  /// Pictures that look the same as the first of their kind are one; captions are told apart by their
  /// normalised text, and those that say nothing do not count.
  private func placeholders() throws -> [Int: Int] {
    guard let least = rules.placeholderCaptions else { return [:] }
    var grouping = DuplicateRules(kind: rules.kind == .near ? .near : .exact)
    grouping.radius = rules.radius
    let place = "\(run.duplicates)/groups"
    try DurableFile.makeFolder(place)
    try DuplicateJudge.empty(place)
    let judge = try DuplicateJudge(grouping, folder: place, threads: threads)
    var groups = PictureGroups()
    for chunk in 0..<generation.chunks.upperBound where decoded.contains(chunk) {
      try Task.checkCancellation()
      let pairs = try read(chunk)
      groups.add(pairs, try judge.judge(pairs, batch: chunk))
    }
    try DuplicateJudge.empty(place)
    return groups.rows(underAtLeast: least)
  }

  /// A chunk's part of the plan.
  static func decision(
    on pairs: [JudgedPair], _ chunk: Int, in run: RunFolder, _ standing: [Int: Verdict]
  ) throws -> DuplicateJudge.Decision {
    let planned = try PairTable.read(run.plannedTable(chunk), as: Verdict.init)
    guard planned.map(\.row) == pairs.map(\.row) else {
      throw StageError(.deduplicate, chunk: chunk, "the plan is not of these rows")
    }
    let verdicts = planned.map { $0.drop == nil ? standing[$0.row] ?? $0 : $0 }
    return DuplicateJudge.Decision(
      batch: chunk, verdicts: verdicts,
      kept: zip(pairs, verdicts).filter { $0.1.drop == nil }.map(\.0))
  }
}
