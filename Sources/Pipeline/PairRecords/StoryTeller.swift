import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import URLPipeline
import WorkerThreads

/// Tells the stories of rows of a run.
///
/// Keeps the tables of the chunks that it has read, for the rows of one question lie together.
public actor StoryTeller {
  let run: RunRecords
  private let search: PairSearch
  private let files: [ListFile]
  private let forgotten: ForgottenPairs
  private var final: FinalShards?
  private var cache: [Int: [Int: PairRecord]] = [:]
  /// More are forgotten, so that memory stays bounded.
  private static let mostChunks = 32

  /// - Throws: What the folder lacks.
  public init(_ run: RunRecords) throws {
    self.run = run
    search = PairSearch(run)
    files = try ListFile.read(run.folder)
    forgotten = try ForgottenPairs.read(run.folder)
  }

  /// A row's story.
  ///
  /// - Parameter row: One that ``PairSearch`` has found.
  /// - Returns: What its chunks, the last first for the conclusion, tell of it.
  /// - Throws: What a table lacks.
  public func story(ofRow row: Int) async throws -> PairStory {
    let records = try await records(ofRow: row)
    guard let last = newest(records) else {
      throw TableError(
        path: run.folder.path + "/chunks", row: row, problem: "no chunk has this row")
    }
    var parts: [PairStory.Part] = []
    for record in records { parts.append(try await part(of: record)) }
    let first = records[0]
    return PairStory(
      row: row, uid: first.entry.candidate.uid,
      fate: last.isForgotten ? "forgotten" : last.fate.rawValue,
      conclusion: try await conclusion(of: last), advice: advice(on: last), stage: last.stage,
      drop: last.drop, failureClass: last.failureClass, list: list(first), parts: parts)
  }

  /// The story of a row that could not be used.
  public func story(ofRejected row: Int, file: String, line: Int, reason: String) -> PairStory {
    PairStory(
      row: row, uid: nil, fate: PairRecord.Fate.rejected.rawValue,
      conclusion: "rejected as the list was taken in: \(reason)",
      advice: ["see line \(line) of \(file); mend it and put it into a list of its own"],
      stage: .ingest, drop: nil, failureClass: .permanent,
      list: .init(
        "list",
        [
          .init("row", number: row), .init("file", text: file), .init("line", number: line),
          .init("reason", text: reason),
        ]), parts: [])
  }

  /// What the row's chunks tell of it, the list's first.
  func records(ofRow row: Int) async throws -> [PairRecord] {
    var records: [PairRecord] = []
    for chunk in try await search.chunks(ofRow: row) {
      if let record = try await self.records(ofChunk: chunk)[row] { records.append(record) }
    }
    return records
  }

  /// The newest that counts: a retry's chunk that was given up leaves its pairs as they were.
  func newest(_ records: [PairRecord]) -> PairRecord? {
    let givenUp = run.givenUp
    return records.last { !givenUp.contains($0.chunk) } ?? records.last
  }

  private func records(ofChunk chunk: Int) async throws -> [Int: PairRecord] {
    if let known = cache[chunk] { return known }
    let attempt = try await run.report(.download, chunk)?.facts[StageReport.attemptFact]
    let run = self.run
    let records = try await Parallel.detached { try run.records(of: chunk, attempt: attempt) }
    if cache.count == Self.mostChunks { cache = [:] }
    let byRow = Dictionary(
      records.map { ($0.row, $0) }, uniquingKeysWith: { first, _ in first })
    cache[chunk] = byRow
    return byRow
  }

  func finalShards() async throws -> FinalShards {
    if let final { return final }
    let made = try await FinalShards(run)
    final = made
    return made
  }

  private func part(of record: PairRecord) async throws -> PairStory.Part {
    var chapters: [PairStory.Chapter] = []
    // Of a pair that was taken out nothing is told but where its jobs stand.
    if !record.isForgotten {
      chapters += transferChapters(record)
      chapters += try await pictureChapters(record)
      chapters += try await shardChapters(record)
    }
    let isRetry = record.generation > 0
    return PairStory.Part(
      generation: record.generation, chunk: record.chunk,
      expression: isRetry
        ? try await PipelineRun.retryExpression(of: record.generation, in: run.ledger) : nil,
      chapters: chapters, jobs: try await jobs(of: record))
  }

  /// What the list says of the row.
  private func list(_ record: PairRecord) -> PairStory.Chapter {
    let candidate = record.entry.candidate
    var facts: [PairStory.Fact] = []
    if let file = files.last(where: { $0.firstRow <= record.row }) {
      let inside = record.row - file.firstRow
      facts += [
        .init(
          "row",
          "\(record.row) of \(run.rowCount ?? 0), from 0"
            + (files.count == 1 ? "" : "; row \(inside) of its file"), .null),
        .init("file", file.path, .string(file.path)), .init("row_of_file", nil, .int(inside)),
      ]
    } else {
      facts.append(.init("row", "\(record.row) of \(run.rowCount ?? 0), from 0", .null))
    }
    if record.isForgotten {
      if let entry = forgotten.entries.first(where: { $0.uids.contains(candidate.uid) }) {
        facts.append(
          .init(
            "forgotten",
            "by a request for its \(entry.request.kind.rawValue), " + LocalTime.words(entry.at),
            .int(entry.at)))
      }
    } else {
      facts.append(
        .init("url", candidate.url.isEmpty ? "(empty)" : candidate.url, .string(candidate.url)))
      facts.append(.init("caption", text: candidate.caption))
      facts += candidate.columns.map { column in
        .init(column.key, column.value.text ?? column.value.serialized, .null)
      }
      if !candidate.columns.isEmpty {
        facts.append(.init("columns", nil, .object(candidate.columns)))
      }
      if let hash = candidate.expectedHash { facts.append(.init("expected_hash", text: hash)) }
      if let picture = candidate.picture {
        facts.append(
          .init("picture", "\(picture.key) in \(picture.tar)", picture.json))
      }
    }
    facts.append(.init("uid", text: candidate.uid))
    return .init("list", facts)
  }

  /// When a uid was asked back; nil where it was not.
  func forgottenAt(uid: String) -> Int? {
    forgotten.entries.first { $0.uids.contains(uid) }?.at
  }
}

/// A file of the list, as `chunks/files.json` tells of it.
struct ListFile: Sendable {
  var path: String
  var firstRow: Int

  /// The files of the list in order; none where they were not noted.
  static func read(_ folder: RunFolder) throws -> [ListFile] {
    guard DurableFile.exists(folder.chunkFiles),
      case .array(let files) = try JSONValue.parse(try DurableFile.read(folder.chunkFiles))
    else { return [] }
    return files.compactMap { file in
      guard let path = file["file"]?.text, let first = file["first_row"]?.integer else {
        return nil
      }
      return ListFile(path: path, firstRow: first)
    }
  }
}
