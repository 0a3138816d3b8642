import DurableFiles
import ParquetFile
import PipelineCore
import URLPipeline

extension RunRecords {
  /// The rows of a chunk, in their order, all tables joined.
  ///
  /// Memory: the chunk's tables.
  ///
  /// - Parameters:
  ///   - chunk: The chunk, of the list or a retry.
  ///   - attempt: The attempt that completed its download; nil where it has not.
  /// - Returns: A record for each row.
  /// - Throws: `TableError` where tables are damaged or do not fit together.
  func records(of chunk: Int, attempt: Int?) throws -> [PairRecord] {
    let generation = generations.number(ofChunk: chunk)
    let (standing, waitsFor) = standing(ofChunk: chunk)
    let entries = try FetchTable.entries(
      of: chunk, in: folder, attempt: attempt, hasDecoded: isCompleted(.decode, chunk),
      hasVerdicts: isCompleted(.deduplicate, chunk))
    let shard = try shardRows(of: chunk, entries.count)
    let scores = try scorers.map { try self.scores(of: chunk, scorer: $0) }
    let judgements = try judgements(of: chunk)
    let file = ShardFiles.shard(chunk, in: folder.shards).map {
      String($0.dropFirst(folder.path.count + 1))
    }
    var (inShard, kept) = (0, 0)
    return entries.enumerated().map { index, entry in
      var record = PairRecord(
        entry: entry, chunk: chunk, generation: generation, key: shard?[index].key,
        scores: scores.map { _ in nil }, fate: standing, stage: waitsFor)
      if let row = shard?[index], row.isKept {
        record.shard = file
        record.numberInShard = inShard
        inShard += 1
        record.scores = scores.map { $0[row.key] }
        record.judgement = judgements?[row.key]
      }
      if entry.drop != nil {
        (record.fate, record.stage) = (.dropped, entry.stage)
      } else if entry.candidate.isForgotten {
        // Taken out before anything was asked for: the download will drop it.
        (record.fate, record.stage) = (.dropped, .download)
      } else if standing == .kept, record.judgement?.drop != nil {
        (record.fate, record.stage) = (.dropped, .filter)
      } else if standing == .kept {
        record.numberKept = kept
        kept += 1
      }
      return record
    }
  }

  /// Key and standing of the rows of a chunk's shard table, a row of which is the chunk's in its place.
  private func shardRows(of chunk: Int, _ count: Int) throws -> [(key: String, isKept: Bool)]? {
    guard isCompleted(.shard, chunk) else { return nil }
    let path = folder.shardTable(chunk)
    var rows: [(key: String, isKept: Bool)] = []
    let batches = try ParquetReader(path: path).batches(
      columns: ["key", "status"], rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for (key, status) in zip(batch.values[0], batch.values[1]) {
        guard case .text(let key) = key else {
          throw TableError(path: path, row: rows.count, problem: "it has no key")
        }
        rows.append((key, status == .text("success")))
      }
    }
    guard rows.count == count else {
      throw TableError(
        path: path, row: rows.count, problem: "it has not the chunk's \(count) rows")
    }
    return rows
  }

  private func scores(of chunk: Int, scorer: String) throws -> [String: Double] {
    let path = folder.scoreTable(chunk, scorer: scorer)
    guard DurableFile.exists(path) else { return [:] }
    var scores: [String: Double] = [:]
    let batches = try ParquetReader(path: path).batches(
      columns: ["key", "score"], rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for case (.text(let key), .float(let score)) in zip(batch.values[0], batch.values[1]) {
        // By its shortest digits, as the tables print it: 0.1 and not 0.10000000149.
        scores[key] = Double("\(score)")
      }
    }
    return scores
  }

  /// What the filter said of the pairs of a chunk, by key; nil where it has no rule or has not spoken.
  private func judgements(of chunk: Int) throws -> [String: PairRecord.Judgement]? {
    let path = folder.filterTable(chunk)
    guard isCompleted(.filter, filterJob(of: chunk)), DurableFile.exists(path) else { return nil }
    let rows = try PairTable.read(path) { row in
      row["key"]?.text.map { key in
        (
          key,
          PairRecord.Judgement(
            score: row["score"]?.double, kind: row["kind"]?.text, drop: Drop(row))
        )
      }
    }
    return Dictionary(rows, uniquingKeysWith: { first, _ in first })
  }
}
