/// Why one pair was dropped, as the tables show it.
public struct Drop: Sendable, Equatable {
  public var reason: DropReason
  /// Words for a person; the same for the same input, except in `fetched/`.
  public var detail: String
  /// The row that is kept in its stead, for duplicates.
  public var survivor: Int?

  public init(_ reason: DropReason, detail: String = "", survivor: Int? = nil) {
    self.reason = reason
    self.detail = detail
    self.survivor = survivor
  }

  public var members: [JSONValue.Member] {
    [.init("drop", .string(reason.rawValue))]
      + (detail.isEmpty ? [] : [.init("detail", .string(detail))])
      + (survivor.map { [.init("of", .int($0))] } ?? [])
  }

  /// The columns of a table whose rows may be dropped.
  public static let columns = [
    TableColumn("drop", .text), TableColumn("detail", .text), TableColumn("of", .int),
  ]

  /// The drop that a table row tells of; nil for a kept pair.
  public init?(_ row: JSONValue) {
    guard let word = row["drop"]?.text, let reason = DropReason(rawValue: word) else { return nil }
    self.init(reason, detail: row["detail"]?.text ?? "", survivor: row["of"]?.integer)
  }
}

/// One row of the list, as ingest writes it to `chunks/`.
public struct PairCandidate: Sendable, Equatable {
  /// The index among all data rows of the list, rejected ones included, from 0.
  public var row: Int
  /// 32 hexadecimal digits, see ``PairIdentity``.
  public var uid: String
  /// The list's exact text.
  public var url: String
  /// The list's exact text, which may be empty.
  public var caption: String
  /// The list's other columns, in its order.
  public var columns: [JSONValue.Member]
  /// What the original bytes must hash to, in lower-case hexadecimal digits.
  ///
  /// MD5 when they are 32, SHA-256 when 64, SHA-512 when 128; nil when the list names no column of
  /// hashes.
  public var expectedHash: String?
  /// Where the picture lies already, for a pair of an existing shard; nothing is fetched then.
  public var picture: PictureSource?
  public var drop: Drop?
  /// The key that another program has given the pair, for a row that was imported.
  ///
  /// Its shards have the key; nil where the recipe's scheme names the pair.
  public var key: String?
  /// Taken out by `pairloom forget`: nothing but row and uid is left, and nothing is fetched for it.
  public var isForgotten = false

  public init(
    row: Int, uid: String, url: String, caption: String, columns: [JSONValue.Member] = [],
    expectedHash: String? = nil, picture: PictureSource? = nil, drop: Drop? = nil
  ) {
    self.row = row
    self.uid = uid
    self.url = url
    self.caption = caption
    self.columns = columns
    self.expectedHash = expectedHash
    self.picture = picture
    self.drop = drop
  }

  public var json: JSONValue {
    .object(
      [
        .init("row", .int(row)), .init("uid", .string(uid)), .init("url", .string(url)),
        .init("caption", .string(caption)),
      ] + (columns.isEmpty ? [] : [.init("columns", .object(columns))])
        + (expectedHash.map { [.init("expected_hash", .string($0))] } ?? [])
        + (picture.map { [.init("picture", $0.json)] } ?? []) + (drop?.members ?? [])
        + (key.map { [.init("key", .string($0))] } ?? [])
        + (isForgotten ? [.init("forgotten", .bool(true))] : []))
  }

  /// What is left of a pair that is taken out: where it stands, its uid, and what it was dropped for.
  public var withoutContent: PairCandidate {
    var blank = PairCandidate(
      row: row, uid: uid, url: "", caption: "",
      drop: drop.map { Drop($0.reason, survivor: $0.survivor) })
    blank.isForgotten = true
    blank.key = key
    return blank
  }

  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let uid = json["uid"]?.text,
      let url = json["url"]?.text, let caption = json["caption"]?.text
    else { return nil }
    let picture = PictureSource(json["picture"])
    guard (json["picture"] == nil) == (picture == nil) else { return nil }
    self.init(
      row: row, uid: uid, url: url, caption: caption, columns: json["columns"]?.members ?? [],
      expectedHash: json["expected_hash"]?.text, picture: picture, drop: Drop(json))
    isForgotten = json["forgotten"] == .bool(true)
    key = json["key"]?.text
  }
}

/// A place in a chunk's bytes file.
public struct ByteRange: Sendable, Equatable {
  public var offset: Int
  public var length: Int

  public init(offset: Int, length: Int) {
    self.offset = offset
    self.length = length
  }
}

/// One downloaded candidate: where its body lies, or why there is none.
public struct FetchedRow: Sendable, Equatable {
  public var row: Int
  public var drop: Drop?
  public var bytes: ByteRange?
  /// SHA-256 of the body, 64 hexadecimal digits; a body that was refused for its hash has one too.
  public var sha256: String?
  /// The attempt of the ledger whose bytes file holds the body.
  public var attempt: Int
  /// The HTTP status, where there was an answer.
  public var status: Int?
  /// Whether a later try may bring a dropped row; what the fetcher says counts before the reason.
  public var failureClass: DropReason.Class?
  /// The record of the transfer: final URL, tries, times; nothing of it reaches a shard's bytes.
  public var record: [JSONValue.Member]

  /// A number of the record.
  public func number(_ name: String) -> Double? {
    record.first { $0.key == name }?.value.double
  }

  public init(
    row: Int, attempt: Int, status: Int?, record: [JSONValue.Member], drop: Drop? = nil,
    bytes: ByteRange? = nil, sha256: String? = nil, failureClass: DropReason.Class? = nil
  ) {
    precondition((drop == nil) == (bytes != nil), "row \(row) must be dropped or have a body")
    self.failureClass = failureClass ?? drop?.reason.failureClass(status: status)
    precondition(bytes == nil || sha256 != nil, "row \(row) has a body without a hash")
    self.row = row
    self.sha256 = sha256
    self.attempt = attempt
    self.status = status
    self.record = record
    self.drop = drop
    self.bytes = bytes
  }

  /// The columns of `fetched/`.
  public static let columns =
    [TableColumn("row", .int, isOptional: false)] + Drop.columns + [
      TableColumn("class", .text), TableColumn("offset", .int), TableColumn("length", .int),
      TableColumn("sha256", .text), TableColumn("attempt", .int, isOptional: false),
      TableColumn("status", .int),
    ] + recordColumns

  /// Those of ``record``.
  public static let recordColumns = [
    TableColumn("final_url", .text), TableColumn("hops", .json),
    TableColumn("redirects", .int), TableColumn("tries", .int), TableColumn("address", .text),
    TableColumn("protocol", .text), TableColumn("content_type", .text),
    TableColumn("received_bytes", .int), TableColumn("etag", .text),
    TableColumn("last_modified", .text), TableColumn("started_at", .int),
    TableColumn("seconds", .double), TableColumn("lookup_seconds", .double),
    TableColumn("connect_seconds", .double), TableColumn("tls_seconds", .double),
    TableColumn("first_byte_seconds", .double), TableColumn("policy_rule", .text),
    TableColumn("policy_source", .text), TableColumn("policy_text", .text),
  ]

  private static let recordNames = Set(recordColumns.map(\.name))

  public var json: JSONValue {
    .object(
      [.init("row", .int(row))] + (drop?.members ?? [])
        + (failureClass.map { [.init("class", .string($0.rawValue))] } ?? [])
        + (bytes.map { [.init("offset", .int($0.offset)), .init("length", .int($0.length))] } ?? [])
        + (sha256.map { [.init("sha256", .string($0))] } ?? [])
        + [.init("attempt", .int(attempt))]
        + (status.map { [.init("status", .int($0))] } ?? []) + record)
  }

  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let attempt = json["attempt"]?.integer else { return nil }
    let drop = Drop(json)
    var bytes: ByteRange?
    if let offset = json["offset"]?.integer, let length = json["length"]?.integer {
      bytes = ByteRange(offset: offset, length: length)
    }
    let sha256 = json["sha256"]?.text
    guard (drop == nil) == (bytes != nil), bytes == nil || sha256 != nil else { return nil }
    self.init(
      row: row, attempt: attempt, status: json["status"]?.integer,
      record: json.members.filter { Self.recordNames.contains($0.key) }, drop: drop, bytes: bytes,
      sha256: sha256,
      failureClass: json["class"]?.text.flatMap(DropReason.Class.init(rawValue:)))
  }

  /// A value of the record; nil where the transfer has none.
  public func recorded(_ key: String) -> JSONValue? { record.first { $0.key == key }?.value }
}

/// One decoded picture: where what is kept of it lies and what it was, or why nothing is.
public struct DecodedRow: Sendable, Equatable {
  public var row: Int
  public var drop: Drop?
  public var bytes: ByteRange?
  /// SHA-256 of the bytes that were downloaded; ``unknownSHA256`` where nobody has kept it.
  public var sha256: String
  public var width: Int?
  public var height: Int?
  public var originalWidth: Int?
  public var originalHeight: Int?
  /// The perceptual hash, 16 hexadecimal digits.
  public var phash: String?
  /// What the picture looks like, as `PictureSignature` writes it; nil in tables of earlier versions.
  public var signature: String?
  /// EXIF as a JSON object's text, where it was asked for and there is some.
  public var exif: String?
  /// The file extension of the bytes that are kept, such as `jpg`.
  public var format: String?

  public init(
    row: Int, sha256: String, drop: Drop? = nil, bytes: ByteRange? = nil, width: Int? = nil,
    height: Int? = nil, originalWidth: Int? = nil, originalHeight: Int? = nil,
    phash: String? = nil, signature: String? = nil, exif: String? = nil, format: String? = nil
  ) {
    precondition((drop == nil) == (bytes != nil), "row \(row) must be dropped or have a picture")
    self.row = row
    self.sha256 = sha256
    self.drop = drop
    self.bytes = bytes
    self.width = width
    self.height = height
    self.originalWidth = originalWidth
    self.originalHeight = originalHeight
    self.phash = phash
    self.signature = signature
    self.exif = exif
    self.format = format
  }

  /// Stands for the digest of bytes that another program has downloaded and not hashed.
  public static let unknownSHA256 = String(repeating: "0", count: 64)

  /// The columns of `decoded/`.
  public static let columns =
    [TableColumn("row", .int, isOptional: false)] + Drop.columns + [
      TableColumn("sha256", .text, isOptional: false), TableColumn("width", .int),
      TableColumn("height", .int), TableColumn("original_width", .int),
      TableColumn("original_height", .int), TableColumn("offset", .int),
      TableColumn("length", .int), TableColumn("phash", .text),
      TableColumn("signature", .text), TableColumn("exif", .text), TableColumn("format", .text),
    ]

  public var json: JSONValue {
    func text(_ key: String, _ value: String?) -> [JSONValue.Member] {
      value.map { [.init(key, .string($0))] } ?? []
    }
    func member(_ key: String, _ value: Int?) -> [JSONValue.Member] {
      value.map { [.init(key, .int($0))] } ?? []
    }
    return .object(
      [.init("row", .int(row))] + (drop?.members ?? []) + [.init("sha256", .string(sha256))]
        + member("width", width) + member("height", height)
        + member("original_width", originalWidth) + member("original_height", originalHeight)
        + member("offset", bytes?.offset) + member("length", bytes?.length)
        + text("phash", phash) + text("signature", signature) + text("exif", exif)
        + text("format", format))
  }

  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let sha256 = json["sha256"]?.text else { return nil }
    let drop = Drop(json)
    var bytes: ByteRange?
    if let offset = json["offset"]?.integer, let length = json["length"]?.integer {
      bytes = ByteRange(offset: offset, length: length)
    }
    guard (drop == nil) == (bytes != nil) else { return nil }
    self.init(
      row: row, sha256: sha256, drop: drop, bytes: bytes, width: json["width"]?.integer,
      height: json["height"]?.integer, originalWidth: json["original_width"]?.integer,
      originalHeight: json["original_height"]?.integer, phash: json["phash"]?.text,
      signature: json["signature"]?.text, exif: json["exif"]?.text, format: json["format"]?.text)
  }
}
