import ContentHashing
import DurableFiles
public import PipelineCore
import WorkerThreads

/// Turns a list into chunks of candidates: the run's first job, and its only one without a chunk.
///
/// Writes `chunks/NNNNN.jsonl`, one row per usable row of the list, and `rejects.jsonl` with the line
/// and the reason of every other. A row's number is its index among all data rows, rejected ones
/// included, so it agrees with the list. Drops what is no http(s) URL (`bad_url`) and every row whose
/// normalised URL an earlier row has (`duplicate_url`, with that row). Streams: memory holds one
/// chunk and 16 bytes of hash and a row number per distinct URL.
public struct IngestStage: Stage {
  public let name = StageName.ingest
  public let lane = Lane.compute
  private let options: IngestOptions

  public init(options: IngestOptions) { self.options = options }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    try await CancellationFlag.watch { flag in
      try await Parallel.detached { try ingest(into: run.folder, flag) }
    }
  }

  private func ingest(into folder: RunFolder, _ flag: CancellationFlag) throws -> StageReport {
    var reader = try ListReader(path: options.input, options: options)
    let rejects = try DurableFileWriter(folder.rejects)
    var seen = SeenURLs()
    var rows: [PairCandidate] = []
    var dropped: [DropReason: Int] = [:]
    var (row, rejected, kept, chunks) = (0, 0, 0, 0)

    func publish() throws {
      try JSONLines.write(rows.map(\.json), to: folder.chunkTable(chunks))
      rows = []
      chunks += 1
      try flag.check()
    }

    while row < options.limit ?? .max, let next = try reader.next() {
      if row > 0 && row % options.chunkRows == 0 { try publish() }
      switch next.content {
      case .reject(let why):
        let line = JSONValue.object([
          .init("line", .int(next.line)), .init("row", .int(row)), .init("reason", .string(why)),
        ])
        try rejects.write(Array((line.serialized + "\n").utf8))
        rejected += 1
      case .row(let url, let caption, let columns):
        let normalized = NormalizedURL.normalize(url)
        var drop: Drop?
        if let normalized {
          if let first = seen.first(normalized, row: row) {
            drop = Drop(.duplicateURL, survivor: first)
          }
        } else {
          drop = Drop(.badURL)
        }
        if let drop { dropped[drop.reason, default: 0] += 1 } else { kept += 1 }
        rows.append(
          PairCandidate(
            row: row, uid: PairIdentity.uid(normalizedURL: normalized ?? url, caption: caption),
            url: url, caption: caption, columns: try columns.map { try Self.member($0) },
            drop: drop))
      }
      row += 1
    }
    if row > 0 { try publish() }
    try rejects.commit()
    return StageReport(
      input: row - rejected, kept: kept, dropped: dropped,
      facts: ["rows": row, "rejected": rejected, "chunks": chunks])
  }

  private static func member(_ column: ListRow.Column) throws -> JSONValue.Member {
    switch column.value {
    case .text(let text): .init(column.name, .string(text))
    case .json(let bytes): .init(column.name, try JSONValue.parse(bytes))
    }
  }
}

/// The first row of every normalised URL, by 128 bits of SHA-256.
private struct SeenURLs {
  private struct Hash: Hashable {
    var high: UInt64
    var low: UInt64
  }
  private var rows: [Hash: Int] = [:]

  /// The earlier row with this URL, nil for the first.
  mutating func first(_ url: String, row: Int) -> Int? {
    let bytes = ContentHash.sha256(Array(url.utf8))
    func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
    let hash = Hash(high: word(0..<8), low: word(8..<16))
    if let first = rows[hash] { return first }
    rows[hash] = row
    return nil
  }
}
