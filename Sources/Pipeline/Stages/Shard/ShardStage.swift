import DurableFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// Writes the kept pairs of a chunk to a shard of the chunk's number.
///
/// Reads the tables of all stages before it and the decoded bytes, or the shard that it wrote when it
/// is done again (``KeptPictures``); writes `shards/NNNNN.tar[.lz4]`
/// with its index, pairs in row order under their keys, and `shards/NNNNN.parquet` with the fate of every
/// pair of the chunk. A chunk that kept nothing makes a table and no shard.
public struct ShardStage: Stage {
  public let name = StageName.shard
  public let lane = Lane.compute
  private let options: ShardOptions
  private let rowsPerShard: Int
  private let hasEXIF: Bool

  /// - Parameters:
  ///   - options: How shards are stored and described.
  ///   - rowsPerShard: The rows of a chunk, by which img2dataset's keys count.
  ///   - hasEXIF: Whether decoding was asked for EXIF fields, which then have a column.
  public init(options: ShardOptions, rowsPerShard: Int, hasEXIF: Bool = false) {
    self.options = options
    self.rowsPerShard = rowsPerShard
    self.hasEXIF = hasEXIF
  }

  private func layout(in folder: RunFolder) throws -> any ShardLayout {
    switch options.layout {
    case .pairloom: PairloomLayout(hasEXIF: hasEXIF)
    case .img2dataset:
      Img2datasetLayout(hasCaptions: try ListColumns.haveCaptions(folder), hasEXIF: hasEXIF)
    }
  }

  /// The columns of the tables beside shards.
  ///
  /// - Parameters:
  ///   - list: What the list's rows carry beside URL and caption.
  ///   - hasCaptions: Whether the list has a column of captions.
  /// - Returns: In their order.
  public func columns(list: [TableColumn], hasCaptions: Bool = true) -> [TableColumn] {
    let layout: any ShardLayout =
      switch options.layout {
      case .pairloom: PairloomLayout(hasEXIF: hasEXIF)
      case .img2dataset: Img2datasetLayout(hasCaptions: hasCaptions, hasEXIF: hasEXIF)
      }
    return layout.columns(carried: CarriedColumns(list, unless: layout.ownFields).columns)
  }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let attempt = try await run.downloadAttempt(of: chunk.number)
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached {
        try write(chunk.number, fetchedBy: attempt, in: run.folder, flag)
      }
    }
  }

  private func write(
    _ chunk: Int, fetchedBy attempt: Int, in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> StageReport {
    let layout = try layout(in: folder)
    let carried = CarriedColumns(try ListColumns.read(folder), unless: layout.ownFields)
    let fates = try fates(chunk, fetchedBy: attempt, in: folder, carried)
    let kept = fates.filter { $0.drop == nil }
    var summary: ShardSummary?
    if !kept.isEmpty {
      let writer = try ShardWriter(
        folder: folder.shards, name: RunFolder.digits(chunk), compression: options.compression)
      try KeptPictures(chunk: chunk, folder: folder).forEach(of: kept) { fate, image in
        try flag.check()
        try writer.append(pair(fate, image, layout))
      }
      summary = try writer.finish()
    }
    try removeShards(chunk, in: folder, but: summary)
    try writeTable(of: fates, chunk, in: folder, layout, carried)
    return StageReport(input: kept.count, kept: kept.count, shard: summary)
  }

  private func writeTable(
    of fates: [PairFate], _ chunk: Int, in folder: RunFolder, _ layout: any ShardLayout,
    _ carried: CarriedColumns
  ) throws {
    try PairTable.write(
      fates.map { layout.row(of: $0) }, columns: layout.columns(carried: carried.columns),
      to: folder.shardTable(chunk))
    for (ending, content) in layout.companions(of: fates) {
      try DurableFile.write(content, to: folder.shards + "/" + RunFolder.digits(chunk) + ending)
    }
  }

  /// Writes the table of a chunk's shard again, and what the layout has beside it.
  ///
  /// Needs the tables of the stages before it, and no picture.
  ///
  /// - Parameters:
  ///   - chunk: The chunk, whose shard is left as it is.
  ///   - attempt: The attempt that completed its download.
  ///   - folder: The run's.
  /// - Throws: What the tables lack.
  public func rebuildTable(of chunk: Int, fetchedBy attempt: Int, in folder: RunFolder) throws {
    let layout = try layout(in: folder)
    let carried = CarriedColumns(try ListColumns.read(folder), unless: layout.ownFields)
    let fates = try fates(chunk, fetchedBy: attempt, in: folder, carried)
    try writeTable(of: fates, chunk, in: folder, layout, carried)
  }

  /// What should stand beside a chunk's table, by the tables of the stages before it.
  ///
  /// - Parameters:
  ///   - chunk: The chunk.
  ///   - attempt: The attempt that completed its download.
  ///   - folder: The run's.
  /// - Returns: Paths and contents; none in a layout that has the shard and its table alone.
  /// - Throws: What the tables lack.
  package func companions(of chunk: Int, fetchedBy attempt: Int, in folder: RunFolder) throws -> [(
    path: String, content: [UInt8]
  )] {
    let layout = try layout(in: folder)
    guard layout is Img2datasetLayout else { return [] }
    let carried = CarriedColumns(try ListColumns.read(folder), unless: layout.ownFields)
    let fates = try fates(chunk, fetchedBy: attempt, in: folder, carried)
    return layout.companions(of: fates).map { ending, content in
      (folder.shards + "/" + RunFolder.digits(chunk) + ending, content)
    }
  }

  /// The keys of the pairs that a chunk's shard must hold, by the tables of the stages before it.
  ///
  /// - Parameters:
  ///   - chunk: The chunk.
  ///   - attempt: The attempt that completed its download.
  ///   - folder: The run's.
  /// - Returns: In the order of the shard; none for a chunk that keeps nothing.
  /// - Throws: What the tables lack.
  package func keys(of chunk: Int, fetchedBy attempt: Int, in folder: RunFolder) throws -> [String]
  {
    let layout = try layout(in: folder)
    let carried = CarriedColumns(try ListColumns.read(folder), unless: layout.ownFields)
    return try fates(chunk, fetchedBy: attempt, in: folder, carried)
      .filter { $0.drop == nil }.map(\.key)
  }

  /// Removes what an earlier attempt has left, or an earlier doing with another compression: no
  /// ledger lists it, and nobody would take it away.
  private func removeShards(_ chunk: Int, in folder: RunFolder, but summary: ShardSummary?) throws {
    for compression in ShardCompression.allCases {
      let name = "\(RunFolder.digits(chunk)).\(compression.fileExtension)"
      if name == summary?.file { continue }
      try DurableFile.remove("\(folder.shards)/\(name)")
      // Shards of all compressions have one place for their index.
      guard summary == nil else { continue }
      try DurableFile.remove(ShardIndexFile.path(ofShard: "\(folder.shards)/\(name)"))
    }
  }

  private func pair(_ fate: PairFate, _ image: [UInt8], _ layout: any ShardLayout) -> Pair {
    Pair(
      key: fate.key, caption: fate.candidate.caption, image: image,
      imageExtension: fate.imageExtension, metadata: layout.metadata(of: fate),
      hasText: layout.hasCaptions)
  }

  private func fates(
    _ chunk: Int, fetchedBy attempt: Int, in folder: RunFolder, _ carried: CarriedColumns
  ) throws -> [PairFate] {
    let candidates = try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    func byRow<T>(_ rows: [T], _ row: KeyPath<T, Int>) -> [Int: T] {
      Dictionary(uniqueKeysWithValues: rows.map { ($0[keyPath: row], $0) })
    }
    let fetched = byRow(
      try PairTable.read(folder.fetchedTable(chunk, attempt: attempt), as: FetchedRow.init), \.row)
    let decoded = byRow(
      try PairTable.read(folder.decodedTable(chunk), as: DecodedRow.init), \.row)
    let verdicts = byRow(try PairTable.read(folder.verdictTable(chunk), as: Verdict.init), \.row)
    let taken = Set(try ForgottenPairs.read(folder).split(candidates).taken.map(\.row))
    // A list may repeat a uid, as may a URL and caption where duplicates are kept.
    var used: Set<String> = []
    return try candidates.enumerated().map { index, candidate in
      // A chunk of the list has a stretch of its rows, a retry's has rows from anywhere.
      let offset = candidate.row - chunk * rowsPerShard
      var fate = PairFate(
        candidate: candidate, fetched: fetched[candidate.row], decoded: decoded[candidate.row],
        verdict: verdicts[candidate.row],
        place: (0..<rowsPerShard).contains(offset) ? offset : index)
      guard fate.isComplete else {
        throw StageError(
          .shard, chunk: chunk, "the tables disagree about row \(candidate.row) of the list")
      }
      if taken.contains(candidate.row) { fate.forget() }
      fate.candidate.columns = carried.renamed(fate.candidate.columns)
      fate.key =
        candidate.key
        ?? options.keyScheme.key(of: fate, chunk: chunk, rowsPerShard: rowsPerShard)
      // What was taken out of the shard keeps its key from the others: theirs are in the shard.
      if fate.drop == nil || fate.verdict?.drop?.reason == .forgotten {
        while !used.insert(fate.key).inserted { fate.key += "-\(candidate.row)" }
      }
      return fate
    }
  }
}
