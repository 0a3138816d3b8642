import CaptionMatching
import DecodeStage
import Deduplication
import DurableFiles
import PipelineCore

/// Decides which pairs are dropped.
///
/// Made anew from what was looked at each time: it costs a hundredth of looking at pictures, and follows
/// from that alone. Memory: some 200 bytes a dropped pair; with `keep: best` all that is known of the
/// pairs, some 700 bytes each; with placeholders every caption.
struct ShardJudgement {
  let folder: WorkFolder
  let options: ShardDeduplicationOptions

  /// The fates of dropped pairs by row.
  func run(_ onProgress: (Int) throws -> Void) throws -> [Int: ShardFate] {
    // Pictures of evaluation sets are looked at once: what is seen of them stays in the folder.
    let evaluation = try EvaluationSet.prepare(
      options.rules.evaluationSets, in: folder.judge,
      examiner: PictureExaminer(worker: options.worker), threads: options.threads)
    let placeholders = try placeholders()
    try DuplicateJudge.empty(folder.judge)
    let judge = try DuplicateJudge(
      options.rules, folder: folder.judge, threads: options.threads,
      references: try DuplicateReferences(
        options.rules, folder: folder.judge, evaluation: evaluation))
    judge.placeholders = placeholders
    var fates: [Int: ShardFate] = [:]
    var judged = 0
    try forEachBatch { pairs, batch in
      for verdict in try judge.judge(pairs.map(\.judged), batch: batch) {
        fates[verdict.row] = ShardFate(verdict)
      }
      judged += pairs.count
      try onProgress(judged)
    }
    return fates
  }

  /// Calls `body` with the pairs in the order in which they count.
  private func forEachBatch(_ body: ([ExaminedPair], Int) throws -> Void) throws {
    let batches = try folder.examinedBatches()
    guard options.rules.keep == .best else {
      for batch in 0..<batches { try body(try folder.pairs(batch), batch) }
      return
    }
    // The best first, and of equals the earlier row.
    let ordered = try (0..<batches).flatMap { try folder.pairs($0) }
      .sorted { ($1.quality, $0.row) < ($0.quality, $1.row) }
    for start in stride(from: 0, to: ordered.count, by: ShardExamination.batchRows) {
      let end = min(start + ShardExamination.batchRows, ordered.count)
      try body(Array(ordered[start..<end]), start / ShardExamination.batchRows)
    }
  }

  /// The rows of placeholders, with what each stands under.
  private func placeholders() throws -> [Int: String] {
    if options.rules.placeholders.isEmpty { return [:] }
    var rules = DuplicateRules(kind: options.rules.kind)
    rules.radius = options.rules.radius
    let place = folder.judge + "/placeholders"
    try DurableFile.makeFolder(place)
    try DuplicateJudge.empty(place)
    let judge = try DuplicateJudge(rules, folder: place, threads: options.threads)
    var groups = PlaceholderGroups(options.rules)
    for batch in 0..<(try folder.examinedBatches()) {
      let pairs = try folder.pairs(batch).map(\.judged)
      groups.add(pairs, try judge.judge(pairs, batch: batch))
    }
    return groups.rows
  }
}
