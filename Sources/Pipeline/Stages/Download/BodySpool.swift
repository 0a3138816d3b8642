import ContentHashing
import CrawlPolicy
import DurableFiles
import HTTPFetch
import PairDataset
import PipelineCore
import WorkerThreads

/// Writes bodies to disk as they come, away from the fetcher's thread and Swift's pool.
actor BodySpool {
  private let executor: BlockingExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  private let writer: DurableFileWriter
  private let attempt: Int
  private let expectedHashes: [Int: String]
  private let blocklist: HashBlocklist?
  private let forgotten: ForgottenPairs
  private var rows: [FetchedRow] = []

  /// - Parameters:
  ///   - path: Of the bodies.
  ///   - attempt: Goes into each row.
  ///   - expectedHashes: What the bodies of rows must hash to, in hexadecimal digits.
  ///   - blocklist: Hashes of bodies that are dropped.
  ///   - forgotten: What must not come back.
  /// - Throws: `FileError`.
  init(
    path: String, attempt: Int, expectedHashes: [Int: String], blocklist: HashBlocklist?,
    forgotten: ForgottenPairs
  ) async throws {
    executor = BlockingExecutor(label: "pairloom.bodies")
    writer = try DurableFileWriter(path)
    self.attempt = attempt
    self.expectedHashes = expectedHashes
    self.blocklist = blocklist
    self.forgotten = forgotten
  }

  /// Drops rows that were taken out of the run, unasked.
  func refuse(_ taken: [Int]) {
    rows += taken.map { forgotten(row: $0) }
  }

  /// A row that tells nothing but that it was taken out: no URL, no digest.
  private func forgotten(row: Int) -> FetchedRow {
    FetchedRow(row: row, attempt: attempt, status: nil, record: [], drop: Drop(.forgotten))
  }

  /// Takes what came of one request.
  func append(_ result: FetchResult) throws {
    // A redirect may lead to what was taken out; then not even the way there is told.
    let places = result.hops.map(\.url) + [result.finalURL].compactMap { $0 }
    if forgotten.bears(onAny: places) {
      rows.append(forgotten(row: result.id))
      return
    }
    let record = result.record
    guard let body = try result.readBody() else {
      let reason = result.failure.map(DropReason.init) ?? .incomplete
      rows.append(
        FetchedRow(
          row: result.id, attempt: attempt, status: result.status, record: record,
          drop: Drop(reason, detail: result.detail),
          failureClass: result.isTransient ? .transient : .permanent))
      return
    }
    try append(body, row: result.id, status: result.status, record: record)
  }

  /// Copies the pictures of rows that lie in existing shards.
  func copy(_ pictures: [(row: Int, source: PictureSource)]) throws {
    var reader = TarMemberReader()
    for (row, source) in pictures {
      try Task.checkCancellation()
      try append(try source.read(with: &reader), row: row, status: nil, record: [])
    }
  }

  private func append(
    _ body: [UInt8], row: Int, status: Int?, record: [JSONValue.Member]
  ) throws {
    let digest = ContentHash.sha256(body)
    if forgotten.contains(sha256: ContentHash.hex(digest)) {
      rows.append(forgotten(row: row))
      return
    }
    let drop = try refusal(of: body, row: row, sha256: digest)
    var bytes: ByteRange?
    if drop == nil {
      bytes = ByteRange(offset: writer.byteCount, length: body.count)
      try writer.write(body)
    }
    rows.append(
      FetchedRow(
        row: row, attempt: attempt, status: status, record: record, drop: drop, bytes: bytes,
        sha256: ContentHash.hex(digest)))
  }

  /// Why a body is not kept, by its hash alone.
  private func refusal(of body: [UInt8], row: Int, sha256: [UInt8]) throws -> Drop? {
    if let blocklist, blocklist.contains(sha256) || blocklist.contains(md5: body) {
      return Drop(.hashBlocked, detail: ContentHash.hex(sha256))
    }
    guard let expected = expectedHashes[row] else { return nil }
    guard let algorithm = HashAlgorithm(digits: expected.utf8.count) else {
      preconditionFailure("ingest lets no hash of \(expected.utf8.count) digits pass")
    }
    let found = algorithm.hexDigest(of: body)
    return found == expected
      ? nil : Drop(.hashMismatch, detail: "\(algorithm.rawValue) is \(found)")
  }

  func publish(chunk: Chunk, expecting count: Int, in folder: RunFolder) throws -> StageReport {
    guard rows.count == count else {
      throw StageError(
        .download, chunk: chunk.number,
        "\(rows.count) results for \(count) URLs: the fetcher was shut down")
    }
    rows.sort { $0.row < $1.row }
    // The table last: where it is, its bytes are.
    try writer.commit()
    try PairTable.write(
      rows.map(\.json), columns: FetchedRow.columns,
      to: folder.fetchedTable(chunk.number, attempt: attempt))
    return StageReport(of: rows, attempt: attempt, byteCount: writer.byteCount)
  }
}

extension HashBlocklist {
  /// Whether the list holds the MD5 of `body`, where it is one of MD5s.
  fileprivate func contains(md5 body: [UInt8]) -> Bool {
    hasMD5 && contains(hex: HashAlgorithm.md5.hexDigest(of: body))
  }
}

extension FetchResult {
  /// The transfer as a row of `fetched/` tells it.
  var record: [JSONValue.Member] {
    func text(_ key: String, _ value: String?) -> [JSONValue.Member] {
      value.map { [.init(key, .string($0))] } ?? []
    }
    func seconds(_ key: String, _ value: Double?) -> [JSONValue.Member] {
      value.map { [.init(key, .number("\(($0 * 10_000).rounded() / 10_000)"))] } ?? []
    }
    // One exchange is told by the row's URL and status.
    let path: [JSONValue.Member] =
      hops.count < 2
      ? []
      : [
        .init(
          "hops",
          .array(
            hops.map { hop in
              .object([
                .init("url", .string(hop.url)),
                .init("status", hop.status.map { .int($0) } ?? .null),
              ])
            }))
      ]
    return text("final_url", finalURL) + path + [
      .init("redirects", .int(redirects)), .init("tries", .int(attempts)),
    ] + text("address", address) + text("protocol", httpVersion)
      + text("content_type", contentType) + [.init("received_bytes", .int(receivedBytes))]
      + text("etag", etag) + text("last_modified", lastModified)
      // A row that was never asked for has no time; its zero would be 1970.
      + (attempts > 0 ? [.init("started_at", .int(startedAt))] : [])
      + seconds("seconds", attempts > 0 ? self.seconds : nil)
      + seconds("lookup_seconds", times?.lookup) + seconds("connect_seconds", times?.connect)
      + seconds("tls_seconds", times?.tls) + seconds("first_byte_seconds", times?.firstByte)
      + text("policy_rule", evidence?.rule.rawValue) + text("policy_source", evidence?.source)
      + text("policy_text", evidence?.text)
  }
}
