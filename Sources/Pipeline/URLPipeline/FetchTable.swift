import DurableFiles
package import PipelineCore
public import TableQuery

/// The rows of a run as `pairloom retry --where` sees them: what was asked for and what came of it.
public enum FetchTable {
  public static let columns: [QueryColumn] = [
    .init("row", .int, "the row of the list, from 0"),
    .init("uid", .text, "the pair's name, as in the shards"),
    .init("url", .text, "as it stands in the list"),
    .init("host", .text, "of the URL, in lower case, without port"),
    .init("caption", .text, "as it stands in the list"),
    .init("chunk", .int, "the chunk of the row's newest attempt"),
    .init("stage", .text, "ingest, download, decode or deduplicate: where it was dropped"),
    .init("reason", .text, "why, as in `pairloom status`: timeout, dns, http_status …"),
    .init("class", .text, "transient or permanent"),
    .init("detail", .text, "the reason in words"),
    .init("status", .int, "the HTTP status, where there was an answer"),
    .init("final_url", .text, "the URL that answered, after redirects"),
    .init("redirects", .int, "how many there were"),
    .init("tries", .int, "requests that were made, retries included"),
    .init("address", .text, "the address that was connected to last"),
    .init("protocol", .text, "http/1.0, http/1.1 or h2"),
    .init("content_type", .text, "as the server named it"),
    .init("received_bytes", .int, "of bodies on the wire, over all tries"),
    .init("seconds", .double, "from the first try to the end"),
    .init("started_at", .int, "when the first try began, milliseconds since 1970"),
    .init("etag", .text, "of the answer"),
    .init("last_modified", .text, "of the answer, as the server wrote it"),
    .init("policy_rule", .text, "what refused it: x_robots_tag, robots_txt, host_list …"),
    .init("policy_source", .text, "where that stands: a URL, or the name of a list"),
  ]

  /// What a retry may do with a row.
  package enum Standing: Equatable, Sendable {
    /// It may heal: it was asked for and failed. `wasFetched`: its body came and was no picture.
    case failed(DropReason, wasFetched: Bool)
    case kept
    case duplicate
    case badURL
    /// A policy or the address guard refused it, which is final.
    case refused
    /// Its chunk was given up before its fate was known.
    case unknown

    /// The words under which rows that are left out are counted.
    var words: String? {
      switch self {
      case .failed: nil
      case .kept: "kept"
      case .duplicate: "duplicates"
      case .badURL: "no URLs"
      case .refused: "refused by policy"
      case .unknown: "in chunks that were given up"
      }
    }
  }

  /// One row with all that is known of it up to its shard.
  package struct Entry: Sendable {
    package var candidate: PairCandidate
    package var fetched: FetchedRow?
    package var decoded: DecodedRow?
    package var verdict: Verdict?

    package var drop: Drop? { candidate.drop ?? fetched?.drop ?? decoded?.drop ?? verdict?.drop }

    /// Whether the failure of the download passes by itself.
    package var isTransient: Bool { fetched?.failureClass == .transient }

    package var standing: Standing {
      if candidate.isForgotten { return .refused }
      guard let drop else { return verdict == nil ? .unknown : .kept }
      // An answer that RFC 9309 takes for a no, because none came, is no final one.
      if isTransient {
        return .failed(drop.reason, wasFetched: false)
      }
      switch drop.reason {
      case .duplicateURL, .duplicateBytes, .duplicatePicture, .duplicateCaption, .captionLimit,
        .placeholder, .evaluationSet:
        return .duplicate
      case .badURL: return .badURL
      case .addressRefused, .robots, .robotsTxt, .tdmReserved, .contentUsage, .hostDenied,
        .hashBlocked, .forgotten:
        return .refused
      default:
        // A list's own drops are final; what failed later has been asked for.
        return candidate.drop == nil
          ? .failed(drop.reason, wasFetched: fetched?.drop == nil) : .badURL
      }
    }

    /// Where the row was dropped.
    package var stage: StageName? {
      if candidate.drop != nil { return .ingest }
      if fetched?.drop != nil { return .download }
      if decoded?.drop != nil { return .decode }
      return verdict?.drop == nil ? nil : .deduplicate
    }

    /// Whether a later try may bring a dropped row; nil for one that was not dropped.
    package var failureClass: DropReason.Class? {
      drop.map { fetched?.failureClass ?? $0.reason.failureClass(status: fetched?.status) }
    }

    /// A value for each of ``FetchTable/columns``.
    package func values(chunk: Int) -> [TableValue] {
      func text(_ value: String?) -> TableValue { value.map { .text($0) } ?? .null }
      func int(_ value: Int?) -> TableValue { value.map { .int($0) } ?? .null }
      let drop = drop
      return [
        .int(candidate.row), .text(candidate.uid), .text(candidate.url),
        text(NormalizedURL.host(of: candidate.url)), .text(candidate.caption), .int(chunk),
        text(stage?.rawValue), text(drop?.reason.rawValue), text(failureClass?.rawValue),
        text(drop.flatMap { $0.detail.isEmpty ? nil : $0.detail }), int(fetched?.status),
        text(fetched?.recorded("final_url")?.text), int(fetched?.recorded("redirects")?.integer),
        int(fetched?.recorded("tries")?.integer),
        text(fetched?.recorded("address")?.text), text(fetched?.recorded("protocol")?.text),
        text(fetched?.recorded("content_type")?.text),
        int(fetched?.recorded("received_bytes")?.integer),
        fetched?.recorded("seconds")?.double.map { .double($0) } ?? .null,
        int(fetched?.recorded("started_at")?.integer),
      ]
        + ["etag", "last_modified", "policy_rule", "policy_source"].map {
          text(fetched?.recorded($0)?.text)
        }
    }
  }
}

/// Reads a run's rows chunk by chunk, each row once: as its newest generation tells of it.
///
/// A retry's chunk that was given up tells of no row: the generation before it still does.
///
/// Memory: the tables of one chunk, and a number for each row that was retried before.
package struct FetchTableReader {
  private let folder: RunFolder
  private let chunkCount: Int
  /// The newest generation that was read; nil in a folder without one.
  let lastGeneration: Int?
  /// The attempt whose files are a download's output, by chunk.
  private let attempts: [Int: Int]
  /// The newest chunk of each row that is in more than one.
  private let newest: [Int: Int]
  /// Chunks of retries that have no shard.
  private let givenUp: Set<Int>

  /// - Parameters:
  ///   - context: The run; its ledger tells what has completed.
  ///   - generation: Rows are read as they stood before this one.
  /// - Throws: What the folder or the ledger lacks.
  init(_ context: StageContext, before generation: Int) async throws {
    let generations = RunGenerations(
      ingest: try await context.reports(.ingest).filter { $0.chunk < generation })
    folder = context.folder
    chunkCount = generations.chunkCount
    lastGeneration = generations.all.last?.number
    attempts = Dictionary(
      uniqueKeysWithValues: try await context.reports(.download).compactMap { chunk, report in
        report.facts[StageReport.attemptFact].map { (chunk, $0) }
      })
    let ended = Set(try await context.reports(.shard).map(\.chunk))
    givenUp = generations.retries(in: 0..<generations.chunkCount).subtracting(ended)
    newest = try Self.newestChunks(of: generations, without: givenUp, in: folder)
  }

  /// The newest chunk of each row that was asked for again.
  ///
  /// - Parameters:
  ///   - generations: The run's.
  ///   - givenUp: Chunks of retries that tell of no row.
  ///   - folder: The run's.
  /// - Returns: A number for each row that a retry has.
  /// - Throws: What a table lacks.
  package static func newestChunks(
    of generations: RunGenerations, without givenUp: Set<Int>, in folder: RunFolder
  ) throws -> [Int: Int] {
    var newest: [Int: Int] = [:]
    for generation in generations.all where generation.number > 0 {
      for chunk in generation.chunks where !givenUp.contains(chunk) {
        for candidate in try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init) {
          newest[candidate.row] = chunk
        }
      }
    }
    return newest
  }

  /// The chunks that there are: where a further generation's begin.
  var chunks: Range<Int> { 0..<chunkCount }

  /// The rows of a chunk, except those that a later one has again.
  func entries(of chunk: Int) throws -> [FetchTable.Entry] {
    guard !givenUp.contains(chunk) else { return [] }
    return try FetchTable.entries(of: chunk, in: folder, attempt: attempts[chunk]).filter {
      newest[$0.candidate.row] == nil || newest[$0.candidate.row] == chunk
    }
  }
}

extension FetchTable {
  /// All rows of a chunk, in their order.
  ///
  /// - Parameters:
  ///   - chunk: The chunk.
  ///   - folder: The run's.
  ///   - attempt: The attempt whose files are the download's output; nil where there is none yet.
  ///   - hasDecoded: Whether what decoding left is its output, and not that of an unfinished attempt.
  ///   - hasVerdicts: The same of deduplication.
  /// - Returns: The rows with what the tables tell of them; a table that is not there tells nothing.
  /// - Throws: What a table lacks.
  package static func entries(
    of chunk: Int, in folder: RunFolder, attempt: Int?, hasDecoded: Bool = true,
    hasVerdicts: Bool = true
  ) throws -> [Entry] {
    func table<T>(_ path: String?, _ make: (JSONValue) -> T?, _ row: KeyPath<T, Int>) throws
      -> [Int: T]
    {
      guard let path, DurableFile.exists(path) else { return [:] }
      return Dictionary(
        try PairTable.read(path, as: make).map { ($0[keyPath: row], $0) },
        uniquingKeysWith: { first, _ in first })
    }
    let candidates = try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    let fetched = try table(
      attempt.map { folder.fetchedTable(chunk, attempt: $0) }, FetchedRow.init, \.row)
    let decoded = try table(
      hasDecoded ? folder.decodedTable(chunk) : nil, DecodedRow.init, \.row)
    let verdicts = try table(hasVerdicts ? folder.verdictTable(chunk) : nil, Verdict.init, \.row)
    return candidates.map {
      Entry(
        candidate: $0, fetched: fetched[$0.row], decoded: decoded[$0.row],
        verdict: verdicts[$0.row])
    }
  }
}
