import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import ShardStage

/// What a redo has noted in the ledger until its leftovers are gone.
struct RedoNote: Sendable, Equatable {
  static let key = "redo"

  /// Everything from this stage on is done again.
  var stage: StageName
  /// `filtered/` had shards of the numbers below this.
  var finalShards: Int
  /// Scorers whose scores the run had.
  var scorers: [String]

  /// What there is before a redo, with what an earlier one that is not ended has noted.
  init(stage: StageName, scorer: String?, in folder: RunFolder, after begun: RedoNote?) throws {
    self.stage = begun.map { $0.stage.rank < stage.rank ? $0.stage : stage } ?? stage
    // As far as the numbers have no gap: nothing but the run numbers files so.
    let names = Set(try DurableFile.names(in: folder.filtered))
    var count = 0
    while RedoLeftovers.finals(count).contains(where: names.contains) { count += 1 }
    finalShards = max(count, begun?.finalShards ?? 0)
    scorers = Set((begun?.scorers ?? []) + [scorer].compactMap { $0 }).sorted()
  }

  /// The note of a redo that is not ended; nil where there is none.
  init?(_ ledger: any Ledger) async throws {
    guard let text = try await ledger.note(Self.key), !text.isEmpty else { return nil }
    let json = try JSONValue.parse(Array(text.utf8))
    guard let stage = json["stage"]?.text.flatMap(StageName.init(rawValue:)),
      let count = json["final_shards"]?.integer, case .array(let scorers) = json["scorers"]
    else { return nil }
    self.stage = stage
    finalShards = count
    self.scorers = scorers.compactMap(\.text)
  }

  var note: (key: String, value: String) {
    let json = JSONValue.object([
      .init("stage", .string(stage.rawValue)), .init("final_shards", .int(finalShards)),
      .init("scorers", .array(scorers.map { .string($0) })),
    ])
    return (Self.key, json.serialized)
  }
}

/// Removes what the jobs of a run had written and do not write with its new options.
///
/// By name and number of what they do write: a file that no job can have written is not touched.
struct RedoLeftovers: Sendable {
  let note: RedoNote
  let folder: RunFolder
  let scorer: String?
  let layout: ShardOptions.Layout
  let isFiltered: Bool

  /// The names of a final shard and what stands beside it.
  static func finals(_ number: Int) -> [String] {
    let digits = RunFolder.digits(number)
    return ShardCompression.allCases.map { "\(digits).\($0.fileExtension)" }
      + ["\(digits).idx", "\(digits).parquet"]
  }

  /// Removes it.
  ///
  /// - Parameter run: All whose jobs have settled.
  /// - Throws: What the disk refuses, or the ledger.
  func clear(_ run: StageContext) async throws {
    let chunks = RunGenerations(ingest: try await run.reports(.ingest)).chunkCount
    let shards = Dictionary(
      uniqueKeysWithValues: try await run.reports(.shard).map { ($0.chunk, $0.report) })
    let downloads = try await run.reports(.download)
    if note.stage.rank <= StageName.download.rank { try clearDownloads(downloads) }
    // Before there are final shards nothing tells which are.
    guard try await !run.reports(.filter).isEmpty, DurableFile.exists(folder.dataset) else {
      return
    }
    for chunk in 0..<chunks {
      // One that was given up says nothing of what it had written.
      guard let report = shards[chunk] else { continue }
      if layout != .img2dataset {
        try DurableFile.remove("\(folder.shards)/\(RunFolder.digits(chunk))_stats.json")
      }
      if !isFiltered || report.shard == nil { try DurableFile.remove(folder.filterTable(chunk)) }
      for former in note.scorers where former != scorer {
        try DurableFile.remove(folder.scoreTable(chunk, scorer: former))
      }
    }
    for former in note.scorers where former != scorer {
      try removeIfEmpty(folder.scores(of: former))
    }
    try removeIfEmpty("\(folder.path)/scores")
    try clearFinals(try DatasetManifest.read(folder.dataset).shards)
  }

  /// What other attempts than the last have downloaded.
  private func clearDownloads(_ downloads: [(chunk: Int, report: StageReport)]) throws {
    let attempts = Dictionary(
      uniqueKeysWithValues: downloads.map {
        (RunFolder.digits($0.chunk), $0.report.facts[StageReport.attemptFact])
      })
    let fetched = "\(folder.path)/fetched"
    for name in try DurableFile.names(in: fetched) {
      let parts = name.split(separator: ".").map(String.init)
      guard parts.count == 3, let attempt = attempts[parts[0]] ?? nil, Int(parts[1]) != nil,
        Int(parts[1]) != attempt
      else { continue }
      try DurableFile.remove("\(fetched)/\(name)")
    }
  }

  /// Final shards that the manifest does not list, and sizes of shards that are not the final ones.
  private func clearFinals(_ listed: [ShardSummary]) throws {
    var names: Set<String> = []
    for shard in listed where shard.file.hasPrefix("filtered/") {
      let file = String(shard.file.dropFirst("filtered/".count))
      let digits = file.prefix { $0 != "." }
      names.formUnion([file, "\(digits).idx", "\(digits).parquet"])
    }
    for number in 0..<note.finalShards {
      for name in Self.finals(number) where !names.contains(name) {
        try DurableFile.remove("\(folder.filtered)/\(name)")
      }
    }
    let place = listed.first?.file.prefix { $0 != "/" } ?? ""
    let isForeign = layout == .img2dataset && place == "shards"
    for (name, isFinal) in [
      ("filtered/sizes.json", place == "filtered"),
      ("shards/sizes.json", place == "shards" && !isForeign), ("shards/__len__", isForeign),
      ("sizes.json", isForeign),
    ] where !isFinal { try DurableFile.remove("\(folder.path)/\(name)") }
    try removeIfEmpty("\(folder.filtered)/verdicts")
    try removeIfEmpty(folder.filtered)
  }

  private func removeIfEmpty(_ path: String) throws {
    guard DurableFile.exists(path), try DurableFile.names(in: path).isEmpty else { return }
    try DurableFile.removeFolder(path)
  }
}
