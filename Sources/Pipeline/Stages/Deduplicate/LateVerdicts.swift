import CaptionMatching
import Deduplication
import DurableFiles
import PictureIndex
import PipelineCore

/// Finds the chunks whose verdicts would be others, had an earlier chunk spoken before them.
struct LateVerdicts {
  private let rules: DuplicateRules
  private let folder: RunFolder
  private let forgotten: ForgottenPairs
  private let threads: Int

  init(_ rules: DuplicateRules, _ folder: RunFolder, _ forgotten: ForgottenPairs, threads: Int) {
    self.rules = rules
    self.folder = folder
    self.forgotten = forgotten
    self.threads = threads
  }

  /// The chunks after `chunk` that have a verdict on a pair like one of these.
  ///
  /// Cost: a pass over their tables, and a search among `pairs` for each of their pairs.
  func chunks(behind chunk: Int, judging pairs: [JudgedPair]) throws -> [Int] {
    if pairs.isEmpty { return [] }
    let late = try judge(of: pairs)
    let found = try DurableFile.names(in: folder.verdicts).compactMap { name in
      name.hasSuffix(".parquet") ? Int(name.dropLast(".parquet".count)) : nil
    }.filter { $0 > chunk }.sorted().filter { later in
      let judged = Set(
        try PairTable.read(folder.verdictTable(later), as: Verdict.init).map(\.row))
      let theirs = try ChunkPairs(later, in: folder, rules, forgotten).pairs
        .filter { judged.contains($0.row) }
      return try late.isLike(theirs)
    }
    try IndexKeeper.remove(late.folder)
    return found
  }

  private struct Late {
    var judge: DuplicateJudge
    var folder: String
    var captions: Set<String>?

    /// Whether one of the pairs would be a duplicate of the late ones, or counts with them.
    func isLike(_ pairs: [JudgedPair]) throws -> Bool {
      if let captions,
        pairs.contains(where: { captions.contains(NormalizedCaption.text(of: $0.caption)) })
      {
        return true
      }
      // Each by itself: a pair that is like another of its own chunk is no news.
      return try pairs.contains { pair in
        try judge.decide([pair], batch: 1).verdicts[0].drop != nil
      }
    }

  }

  private func judge(of pairs: [JudgedPair]) throws -> Late {
    var others = rules
    others.against = []
    others.evaluationSets = []
    others.captionLimit = nil
    let place = "\(folder.duplicates)/late"
    try DurableFile.makeFolder(place)
    try DuplicateJudge.empty(place)
    let judge = try DuplicateJudge(others, folder: place, threads: threads)
    try judge.restore(pairs, batch: 0)
    return Late(
      judge: judge, folder: place,
      captions: rules.captionLimit == nil
        ? nil : Set(pairs.map { NormalizedCaption.text(of: $0.caption) }))
  }
}
