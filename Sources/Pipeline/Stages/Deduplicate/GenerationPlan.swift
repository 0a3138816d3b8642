import ContentHashing
import Deduplication
import DurableFiles
import PipelineCore

/// What becomes of all pairs of the list, or of a retry, where that can be said only when every picture is
/// there: which of several is the best, and which stand under many captions.
///
/// Made once for all chunks, whichever is judged first, and published in `duplicates/plan/`: a table of
/// verdicts for each chunk, then a note of what they follow from. Each process looks once whether it follows
/// from what there is, and each chunk then at what is its own (``SeenPlan``). Pairs of later generations are
/// held against what is kept already, and nothing of that changes. Memory: see ``PlannedPairs``; with
/// placeholders some 150 bytes for each pair of all generations before.
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
  private let looks: FileLooks
  /// How many decodes had settled before anything was looked at.
  private let settled: SettledJobs?

  /// - Throws: `StageError` while pictures of the generation are still to come.
  init(
    of chunk: Int, in run: StageContext, _ rules: DuplicateRules,
    references: String, threads: Int, _ forgotten: ForgottenPairs, _ looks: FileLooks
  ) async throws {
    self.looks = looks
    settled = try await run.settled(.decode)
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

  private var notePath: String { SeenPlan.note(in: run) }

  /// Makes the plan where there is none that follows from what there is.
  func makeIfNeeded(_ keeper: IndexKeeper, without givenUp: Set<Int>) throws -> SeenPlan? {
    let (identity, own) = identity(without: givenUp)
    try make(identity, keeper, without: givenUp)
    return settled.map {
      SeenPlan(
        chunks: generation.chunks, tables: own, settled: $0,
        givenUp: givenUp.filter { $0 < generation.chunks.lowerBound }, run, looks)
    }
  }

  private func make(_ identity: String, _ keeper: IndexKeeper, without givenUp: Set<Int>) throws {
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
    try publish(try drops(judge))
    // Last: where it is, the tables are.
    try DurableFile.write(identity, to: notePath)
  }

  /// The chunks whose pictures count.
  private var chunks: [Int] { generation.chunks.filter { decoded.contains($0) } }

  /// What the plan follows from, in a word, and the stamps of the generation's tables that went into it.
  private func identity(without givenUp: Set<Int>) -> (String, [SeenPlan.Tables]) {
    var stamps = FileStamps()
    stamps.add(word: "\(generation.number) \(rules)")
    stamps.add(word: references)
    var own: [SeenPlan.Tables] = []
    let first = rules.placeholders.isEmpty ? generation.chunks.lowerBound : 0
    for chunk in first..<generation.chunks.upperBound {
      if !decoded.contains(chunk) { stamps.add(word: "no \(chunk)") }
      let tables = SeenPlan.Tables(chunk, run, looks)
      stamps.add(tables.decoded)
      stamps.add(tables.list)
      if chunk >= generation.chunks.lowerBound { own.append(tables) }
    }
    for chunk in 0..<generation.chunks.lowerBound {
      if givenUp.contains(chunk) { stamps.add(word: "not \(chunk)") }
      stamps.add(looks.stamp(run.verdictTable(chunk)))
    }
    stamps.add(looks.stamp(run.forgotten))
    return (stamps.digest, own)
  }

  /// The verdicts on the pairs that are dropped, by row.
  private func drops(_ judge: DuplicateJudge) throws -> [Int: Verdict] {
    var pairs = PlannedPairs(rules)
    for chunk in chunks {
      try Task.checkCancellation()
      pairs.append(try ChunkPairs(chunk, in: run, rules, forgotten).pairs)
      // What cannot be kept any more takes nothing else with it.
      judge.standing.merge(DeduplicateStage.standing(chunk, in: run)) { first, _ in first }
    }
    let order = pairs.bestFirst
    var drops: [Int: Verdict] = [:]
    let first = generation.chunks.lowerBound
    for (number, start) in stride(from: 0, to: order.count, by: Self.batch).enumerated() {
      let slice = order[start..<min(start + Self.batch, order.count)].map { pairs[Int($0)] }
      for var verdict in try judge.judge(slice, batch: first + number) where verdict.drop != nil {
        // Its chunk's tables have it.
        verdict.sha256 = ""
        drops[verdict.row] = verdict
      }
    }
    return drops
  }

  private static let batch = 4_096

  private func publish(_ drops: [Int: Verdict]) throws {
    for chunk in chunks {
      let rows = try ChunkPairs(chunk, in: run, rules, forgotten).pairs.map { pair in
        let drop = drops[pair.row]
        return Verdict(row: pair.row, sha256: pair.sha256, drop: drop?.drop, match: drop?.match)
          .json
      }
      try PairTable.write(rows, columns: Verdict.columns, to: run.plannedTable(chunk))
    }
  }

  /// The rows of placeholders; pictures that look the same as the first of their kind are one.
  private func placeholders() throws -> [Int: String] {
    if rules.placeholders.isEmpty { return [:] }
    var grouping = DuplicateRules(kind: rules.kind == .near ? .near : .exact)
    grouping.radius = rules.radius
    let place = "\(run.duplicates)/groups"
    try DurableFile.makeFolder(place)
    try DuplicateJudge.empty(place)
    let judge = try DuplicateJudge(grouping, folder: place, threads: threads)
    var groups = PlaceholderGroups(rules)
    for chunk in 0..<generation.chunks.upperBound where decoded.contains(chunk) {
      try Task.checkCancellation()
      let pairs = try ChunkPairs(chunk, in: run, rules, forgotten).pairs
      groups.add(pairs, try judge.judge(pairs, batch: chunk))
    }
    try DuplicateJudge.empty(place)
    return groups.rows
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
