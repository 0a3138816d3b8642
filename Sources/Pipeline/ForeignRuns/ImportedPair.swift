import PipelineCore

/// A row of img2dataset as the tables of a run tell of it.
struct ImportedPair {
  var candidate: PairCandidate
  var fetched: FetchedRow?
  var decoded: DecodedRow?
  var verdict: Verdict?

  /// What became of a row.
  enum Fate {
    /// Its picture is in the shard.
    case kept(TarContents.Picture)
    /// As the table says.
    case failed
    /// The table says that it succeeded, and the shard does not hold it.
    case lost(DropReason, words: String)
  }

  /// - Parameters:
  ///   - row: What img2dataset tells.
  ///   - fate: What the shard tells.
  ///   - number: Of the row in the list.
  ///   - key: The pair's, where it may have it in a shard of ours.
  ///   - startedAt: When the shard was begun, milliseconds since 1970.
  init(_ row: ForeignRow, _ fate: Fate, number: Int, key: String?, startedAt: Int?) {
    let normalized = NormalizedURL.normalize(row.url)
    candidate = PairCandidate(
      row: number,
      uid: PairIdentity.uid(normalizedURL: normalized ?? row.url, caption: row.caption),
      url: row.url, caption: row.caption, columns: row.columns)
    candidate.key = key
    // img2dataset notes no redirects: what was asked for stands for what answered.
    let record =
      (normalized.map { [JSONValue.Member("final_url", .string($0))] } ?? [])
      + (startedAt.map { [JSONValue.Member("started_at", .int($0))] } ?? [])
    switch fate {
    case .kept(let picture): keep(row, picture, record)
    case .failed: fail(row, normalized, record)
    case .lost(let reason, let words):
      drop(Drop(reason, detail: words), normalized, record, status: nil)
    }
  }

  private mutating func keep(
    _ row: ForeignRow, _ picture: TarContents.Picture, _ record: [JSONValue.Member]
  ) {
    let sha256 = row.sha256 ?? DecodedRow.unknownSHA256
    let bytes = ByteRange(offset: 0, length: picture.bytes)
    fetch(bytes, sha256, record)
    decoded = DecodedRow(
      row: candidate.row, sha256: sha256, bytes: bytes, width: row.width, height: row.height,
      originalWidth: row.originalWidth, originalHeight: row.originalHeight, exif: row.exif,
      format: picture.format)
    verdict = Verdict(row: candidate.row, sha256: sha256)
  }

  private mutating func fetch(_ bytes: ByteRange, _ sha256: String, _ record: [JSONValue.Member]) {
    fetched = FetchedRow(
      row: candidate.row, attempt: Self.attempt, status: nil, record: record, bytes: bytes,
      sha256: sha256)
  }

  /// The ledger's number of the attempt that stands for img2dataset's.
  static let attempt = 1

  private mutating func fail(
    _ row: ForeignRow, _ normalized: String?, _ record: [JSONValue.Member]
  ) {
    let isResize = row.status == "failed_to_resize"
    guard isResize || row.status == "failed_to_download" else {
      let words = "img2dataset has not said what became of it"
      return drop(Drop(.incomplete, detail: words), normalized, record, status: nil)
    }
    let failure = ForeignFailure(row.message, isResize: isResize)
    let fault = Drop(failure.reason, detail: row.message, survivor: failure.survivor)
    switch failure.reason {
    case .forgotten where row.url.isEmpty:
      candidate.drop = Drop(.forgotten)
      candidate = candidate.withoutContent
    case .duplicateURL: candidate.drop = fault
    case _ where failure.reason.stage == .deduplicate:
      keep(row, TarContents.Picture(key: "", format: "jpg", bytes: 0), record)
      verdict?.drop = fault
    case _ where isResize && normalized != nil:
      let sha256 = row.sha256 ?? DecodedRow.unknownSHA256
      fetch(ByteRange(offset: 0, length: 0), sha256, record)
      decoded = DecodedRow(row: candidate.row, sha256: sha256, drop: fault)
    default: drop(fault, normalized, record, status: failure.status)
    }
  }

  private mutating func drop(
    _ fault: Drop, _ normalized: String?, _ record: [JSONValue.Member], status: Int?
  ) {
    guard normalized != nil else {
      // No URL for us either: as ingest would have it.
      candidate.drop = Drop(.badURL, detail: fault.detail)
      return
    }
    let rule: [JSONValue.Member] =
      fault.reason == .robots ? [.init("policy_rule", .string("x_robots_tag"))] : []
    fetched = FetchedRow(
      row: candidate.row, attempt: Self.attempt, status: status, record: record + rule, drop: fault,
      // A URL that Python refused, such as one with letters beyond ASCII, can be asked for here.
      failureClass: fault.reason == .badURL ? .transient : nil)
  }
}
