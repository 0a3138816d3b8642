import DurableFiles
import IngestStage
import ParquetFile
import PipelineCore
import ShardStage
import URLPipeline
public import WorkerThreads

/// Finds the rows of a run that a question names.
///
/// A row leads to its chunk in a few reads; a uid or a URL takes a pass over the chunks' tables as
/// bytes: a million rows, some 300 MB, in well under a second of two cores once they are in memory.
public struct PairSearch: Sendable {
  private let run: RunRecords
  private let lines: ChunkLines

  public init(_ run: RunRecords, threads: Int = Parallel.coreCount) {
    self.run = run
    lines = ChunkLines(folder: run.folder, threads: threads)
  }

  /// The question that `text` asks of this run.
  public func question(_ text: String) -> PairQuestion {
    PairQuestion(text, keyDigits: keyDigits.map { 5 + $0 })
  }

  /// The digits of img2dataset's keys that number the rows of a shard; nil for the other scheme.
  private var keyDigits: Int? {
    guard let recipe = run.recipe, recipe.shard.keyScheme == .img2dataset else { return nil }
    var (digits, reach) = (0, 1)
    while reach < recipe.ingest.chunkRows {
      reach *= 10
      digits += 1
    }
    return digits
  }

  /// - Throws: What a table lacks.
  public func rows(_ question: PairQuestion) async throws -> PairAnswer {
    guard run.rowCount != nil else {
      return .nothing("the list has not been taken in yet; ask again when `ingest` is done")
    }
    switch question {
    case .row(let row): return try await answer(row: row)
    case .uid(let uid): return try await answer(uid: uid)
    case .key(let key): return try await answer(key: key)
    case .url(let url): return try await answer(url: url)
    }
  }

  /// The chunks that hold a row, the list's and those of retries, ascending.
  func chunks(ofRow row: Int) async throws -> [Int] {
    let first = try listChunks(ofRow: row)
    let retries = run.generations.all.filter { $0.number > 0 }.flatMap { Array($0.chunks) }
    return try await lines.find(
      in: first + retries, needle: Array(#"{"row":\#(row),"#.utf8)
    ) { ChunkLines.row($0, $1) == row }.map(\.chunk)
  }

  /// The chunks of the list that a row may be in: by the options, and by the first rows of chunks.
  private func listChunks(ofRow row: Int) throws -> [Int] {
    var chunks: Set<Int> = []
    if let recipe = run.recipe { chunks.insert(row / recipe.ingest.chunkRows) }
    if let chunk = try lines.chunk(ofRow: row, among: run.listChunks) { chunks.insert(chunk) }
    return chunks.filter(run.listChunks.contains).sorted()
  }

  private func answer(row: Int) async throws -> PairAnswer {
    let count = run.rowCount ?? 0
    guard (0..<count).contains(row) else {
      return .nothing(
        count == 0
          ? "the list has no rows"
          : "there is no row \(row): the list has \(count) rows, 0 to \(count - 1)")
    }
    if try await !chunks(ofRow: row).isEmpty { return .rows([row]) }
    let batches = try ParquetReader(path: run.folder.rejects).batches(
      columns: ["row", "file", "line", "reason"], rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for index in 0..<batch.rowCount where batch.values[0][index] == .int(Int64(row)) {
        guard case .text(let file) = batch.values[1][index],
          case .int(let line) = batch.values[2][index],
          case .text(let reason) = batch.values[3][index]
        else { continue }
        return .rejected(row: row, file: file, line: Int(line), reason: reason)
      }
    }
    return .nothing(
      "row \(row) is neither in the chunks' tables nor in rejects.parquet: `pairloom verify`"
        + " tells which files are damaged")
  }

  private func rows(uid: String) async throws -> [Int] {
    var quoted: [UInt8] = []
    JSONText.append(Array(uid.utf8), to: &quoted)
    // A column of the list may be called so as well: the row itself is asked.
    return try await lines.find(
      in: Array(run.listChunks), needle: Array(#""uid":"#.utf8) + quoted
    ) { bytes, line in
      try JSONValue.parse(Array(bytes[line]))["uid"]?.text == uid
    }.map(\.row)
  }

  private func answer(uid: String) async throws -> PairAnswer {
    let rows = try await rows(uid: uid)
    if !rows.isEmpty { return .rows(rows) }
    return .nothing(
      "no pair of the list has the uid \(uid). A uid is the pair's name in tables and shards, and"
        + " comes of URL and caption: ask by the URL, or by the row")
  }

  private func answer(url: String) async throws -> PairAnswer {
    let needle = URLNeedle(url)
    let rows = try await lines.find(
      in: Array(run.listChunks), needle: needle.bytes, where: needle.fits
    ).map(\.row)
    if !rows.isEmpty { return .rows(rows) }
    if let forgotten = try await forgotten(url: url) { return forgotten }
    guard let host = NormalizedURL.host(of: url) else {
      return .nothing("no row of the list has this URL, which is no http or https URL")
    }
    let bytes = Array(host.utf8)
    let sameHost = try await lines.find(in: Array(run.listChunks), needle: nil) {
      try URLNeedle.has(host: bytes, $0, $1)
    }
    let some = sameHost.prefix(3).map { String($0.row) }.joined(separator: ", ")
    return .nothing(
      "no row of the list has this URL. "
        + (sameHost.isEmpty
          ? "Its host, \(host), is not in the list at all"
          : "Its host, \(host), is in the list \(sameHost.count)"
            + (sameHost.count == 1 ? " time: row " : " times: rows ") + some
            + (sameHost.count > 3 ? " …" : "")))
  }

  /// The rows of a URL that was asked back: whoever has the URL may know what became of it.
  private func forgotten(url: String) async throws -> PairAnswer? {
    let forgotten = try ForgottenPairs.read(run.folder)
    // A host's request tells of all its pairs, and nothing of this one.
    let requests = forgotten.requests(uid: "", urls: [url]).filter { $0.kind == .url }
    guard let entry = forgotten.entries.first(where: { requests.contains($0.request) }) else {
      return forgotten.bears(onAny: [url])
        ? .nothing(
          "a request to forget its host bears on this URL (`pairloom forget`): whatever the list had"
            + " of it was taken out") : nil
    }
    var rows: [Int] = []
    for uid in entry.uids { rows += try await self.rows(uid: uid) }
    return rows.isEmpty
      ? .nothing("this URL was to be forgotten (`pairloom forget`); no row of the list had it")
      : .rows(rows.sorted())
  }

  private func answer(key: String) async throws -> PairAnswer {
    if let digits = keyDigits, let row = try await row(key: key, digits: digits) {
      return .rows([row])
    }
    // Behind a uid may stand a row's or a chunk's number, which tells equal ones apart.
    var base = key
    while true {
      let rows = try await rows(uid: base)
      let named = base == key ? rows : rows.filter { key.hasPrefix("\(base)-\($0)") }
      if !rows.isEmpty { return .rows(named.isEmpty ? rows : named) }
      guard let dash = base.lastIndex(of: "-"), dash != base.startIndex,
        base[base.index(after: dash)...].allSatisfy({ $0.isASCII && $0.isNumber })
      else { break }
      base = String(base[..<dash])
    }
    if let row = Int(key), row >= 0 { return try await answer(row: row) }
    return .nothing(
      "no pair has the key \(key). Ask by a row (a number), a uid (32 hexadecimal digits), a key as"
        + " `pairloom ls` shows it, or a URL as it stands in the list")
  }

  /// The row that has one of img2dataset's keys: the shard's number and the row's place in it.
  private func row(key: String, digits: Int) async throws -> Int? {
    guard key.utf8.count >= 5 + digits, key.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      let chunk = Int(key.dropLast(digits)), chunk < run.generations.chunkCount
    else { return nil }
    let attempt = try await run.report(.download, chunk)?.facts[StageReport.attemptFact]
    let records = try await Parallel.detached { try run.records(of: chunk, attempt: attempt) }
    if let record = records.first(where: { $0.key == key }) { return record.row }
    // Not in a shard yet: the place alone tells.
    guard let recipe = run.recipe, let place = digits == 0 ? 0 : Int(key.suffix(digits)),
      run.listChunks.contains(chunk)
    else { return nil }
    let row = chunk * recipe.ingest.chunkRows + place
    return records.contains { $0.row == row && $0.key == nil } ? row : nil
  }
}
