import DurableFiles
import PairDataset
import ParquetFile
import PipelineCore

/// Takes one shard of img2dataset over.
struct ShardImport {
  let shard: Img2datasetFolder.Shard
  let numbering: ShardNumbering
  let options: ImportOptions
  let folder: RunFolder
  let flag: CancellationFlag

  /// What was found beside the pairs.
  struct Result {
    var chunk: ImportedChunk
    var findings: [String] = []
    var shard: ShardSummary?
    var isLinked = false
    var isUnfinished = false
    var hasCaptions = false
    var withoutSHA256 = 0
  }

  /// - Parameters:
  ///   - kinds: Takes up the list's other columns.
  ///   - facts: Takes up what the pictures tell.
  /// - Returns: What was done.
  /// - Throws: What the disk refuses; no damage of the shard's files.
  func run(_ kinds: inout CarriedKinds, _ facts: inout TreatmentFacts) throws -> Result {
    var findings: [String] = []
    var table = readTable(&findings)
    let stats = try readStats(&findings)
    let isEnded = shard.stats != nil || options.withoutStats
    if !isEnded {
      findings.append("it has no \(shard.name)_stats.json: img2dataset did not end it")
    }
    let successes = Dictionary(
      (table?.rows ?? []).filter(\.isSuccess).compactMap { row in row.key.map { ($0, row) } },
      uniquingKeysWith: { first, _ in first })
    let (contents, isLinked) = try readTar(isEnded, successes, &facts, &findings)
    if table == nil && contents == nil {
      findings.append(
        "its rows are not in the run: let img2dataset end the folder, then import it, or run the list"
      )
    }
    for column in table?.columns ?? [] { kinds.note(column.name, column.kind) }
    let loss =
      !isEnded
      ? "img2dataset did not end shard \(shard.name)"
      : shard.tar == nil ? "the shard's tar is missing" : "the shard's tar is damaged"
    var merge = ShardMerge(
      rows: table?.rows ?? [], hasTable: table != nil, contents: contents, loss: loss)
    findings += merge.differences
    if table?.hasEXIF ?? (contents?.pictures.first?.row?.exif != nil) { facts.hasEXIF = true }
    let hasCaptions = table?.hasCaptions ?? contents?.hasTexts ?? false
    let count = table?.rows.count
    table = nil
    let pairs = try pairs(of: &merge, startedAt: stats?.startedAt, &kinds, &facts)
    let chunk = try ImportedChunk(
      pairs, chunk: shard.number, to: folder, shard: contents?.summary)
    compare(stats, chunk, tableRows: count, &findings)
    return Result(
      chunk: chunk, findings: findings, shard: contents?.summary, isLinked: isLinked,
      isUnfinished: !isEnded || contents == nil, hasCaptions: hasCaptions,
      withoutSHA256: pairs.count { $0.verdict?.sha256 == DecodedRow.unknownSHA256 })
  }

  private func readTable(_ findings: inout [String]) -> ForeignTable? {
    guard let path = shard.table else { return nil }
    do {
      let table = try ForeignTable(path: path)
      for (name, why) in table.unread {
        findings.append("column \(name) of its table is not carried: \(why)")
      }
      return table
    } catch {
      findings.append("its table cannot be read: \(error)")
      return nil
    }
  }

  private func readStats(_ findings: inout [String]) throws -> ForeignStats? {
    guard let path = shard.stats else { return nil }
    let stats = try ForeignStats(path: path)
    if stats == nil { findings.append("\(shard.name)_stats.json is damaged, and not compared") }
    return stats
  }

  private func readTar(
    _ isEnded: Bool, _ rows: [String: ForeignRow], _ facts: inout TreatmentFacts,
    _ findings: inout [String]
  ) throws -> (TarContents?, isLinked: Bool) {
    guard let tar = shard.tar else {
      findings.append("its tar is missing")
      return (nil, false)
    }
    let name = RunFolder.digits(shard.number)
    guard isEnded else { return (nil, false) }
    let isLinked = try TakenFile.take(
      tar, to: "\(folder.shards)/\(name).tar", copying: options.copies)
    do {
      let contents = try TarContents(name, in: folder.shards, rows: rows, flag) { row, image in
        facts.look(row, image)
      }
      return (contents, isLinked && contents.refused.isEmpty)
    } catch let error as ShardError {
      // What the system refuses is no damage.
      if case .file = error.reason { throw error }
      findings.append("its tar is not taken: \(error)")
      try TarContents.remove(name, in: folder.shards)
      return (nil, false)
    }
  }

  private func pairs(
    of merge: inout ShardMerge, startedAt: Int?, _ kinds: inout CarriedKinds,
    _ facts: inout TreatmentFacts
  ) throws -> [ImportedPair] {
    let places = numbering.places(of: merge.lines.map(\.row.key), in: shard)
    if let most = places.max(), most >= numbering.rowsPerShard {
      throw ImportError.tooManyRows(
        shard: shard.name, rows: most + 1, limit: numbering.rowsPerShard)
    }
    // A kept pair has its key, whatever another row says.
    var used: Set<String> = []
    for line in merge.lines {
      if case .kept(let picture) = line.fate { used.insert(picture.key) }
    }
    var pairs: [ImportedPair] = []
    for (line, place) in zip(merge.lines, places) {
      try flag.check()
      var row = line.row
      row.columns = kinds.note(row.columns, isTyped: shard.table != nil)
      var key: String?
      if case .kept(let picture) = line.fate {
        key = picture.key
        facts.add(row, format: picture.format)
      } else if let other = row.key, Self.isKey(other), used.insert(other).inserted {
        key = other
      }
      pairs.append(
        ImportedPair(
          row, line.fate, number: shard.number * numbering.rowsPerShard + place, key: key,
          startedAt: startedAt))
    }
    return pairs
  }

  /// Whether a healed pair may have the key in a shard of ours.
  private static func isKey(_ key: String) -> Bool {
    !key.isEmpty && key.utf8.count <= 128
      && key.utf8.allSatisfy {
        ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2D
          || $0 == 0x5F
      }
  }

  /// Holds what img2dataset has counted against what is there.
  private func compare(
    _ stats: ForeignStats?, _ chunk: ImportedChunk, tableRows: Int?, _ findings: inout [String]
  ) {
    guard let stats else { return }
    let kept = chunk.reports[.shard]?.kept ?? 0
    if stats.successes != kept {
      findings.append("img2dataset counts \(stats.successes) successes, the shard holds \(kept)")
    }
    if let tableRows {
      if stats.count > tableRows {
        findings.append(
          "img2dataset counts \(stats.count) rows, its table has \(tableRows): the others were lost"
            + " by an exception, and only the list has them")
      }
    } else if stats.count > chunk.rows {
      findings.append(
        "it has no table that can be read, so \(stats.count - chunk.rows) rows of \(stats.count) are"
          + " not known and cannot be asked for again; only the list has them")
    }
  }
}
