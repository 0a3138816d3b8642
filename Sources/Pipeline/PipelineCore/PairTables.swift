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
  public var drop: Drop?

  public init(
    row: Int, uid: String, url: String, caption: String, columns: [JSONValue.Member] = [],
    drop: Drop? = nil
  ) {
    self.row = row
    self.uid = uid
    self.url = url
    self.caption = caption
    self.columns = columns
    self.drop = drop
  }

  public var json: JSONValue {
    .object(
      [
        .init("row", .int(row)), .init("uid", .string(uid)), .init("url", .string(url)),
        .init("caption", .string(caption)),
      ] + (columns.isEmpty ? [] : [.init("columns", .object(columns))]) + (drop?.members ?? []))
  }

  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let uid = json["uid"]?.text,
      let url = json["url"]?.text, let caption = json["caption"]?.text
    else { return nil }
    self.init(
      row: row, uid: uid, url: url, caption: caption, columns: json["columns"]?.members ?? [],
      drop: Drop(json))
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
  /// The attempt of the ledger whose bytes file holds the body.
  public var attempt: Int
  /// The HTTP status, where there was an answer.
  public var status: Int?
  /// The record of the transfer: final URL, tries, times; nothing that later stages go by.
  public var record: [JSONValue.Member]

  public init(
    row: Int, attempt: Int, status: Int?, record: [JSONValue.Member], drop: Drop? = nil,
    bytes: ByteRange? = nil
  ) {
    precondition((drop == nil) == (bytes != nil), "row \(row) must be dropped or have a body")
    self.row = row
    self.attempt = attempt
    self.status = status
    self.record = record
    self.drop = drop
    self.bytes = bytes
  }

  public var json: JSONValue {
    .object(
      [.init("row", .int(row))] + (drop?.members ?? [])
        + (drop.map {
          [.init("class", .string($0.reason.failureClass(status: status).rawValue))]
        } ?? [])
        + (bytes.map { [.init("offset", .int($0.offset)), .init("length", .int($0.length))] } ?? [])
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
    guard (drop == nil) == (bytes != nil) else { return nil }
    self.init(
      row: row, attempt: attempt, status: json["status"]?.integer,
      record: json.members.filter { !Self.ownKeys.contains($0.key) }, drop: drop, bytes: bytes)
  }

  /// The keys of a table's row that are no part of the record.
  private static let ownKeys: Set<String> = [
    "row", "drop", "detail", "of", "class", "offset", "length", "attempt", "status",
  ]

  /// A value of the record; nil where the transfer has none.
  public func recorded(_ key: String) -> JSONValue? { record.first { $0.key == key }?.value }
}

/// One decoded picture: where its JPEG lies and what it was, or why there is none.
public struct DecodedRow: Sendable, Equatable {
  public var row: Int
  public var drop: Drop?
  public var bytes: ByteRange?
  /// SHA-256 of the bytes that were downloaded.
  public var sha256: String
  public var width: Int?
  public var height: Int?
  public var originalWidth: Int?
  public var originalHeight: Int?

  public init(
    row: Int, sha256: String, drop: Drop? = nil, bytes: ByteRange? = nil, width: Int? = nil,
    height: Int? = nil, originalWidth: Int? = nil, originalHeight: Int? = nil
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
  }

  public var json: JSONValue {
    func member(_ key: String, _ value: Int?) -> [JSONValue.Member] {
      value.map { [.init(key, .int($0))] } ?? []
    }
    return .object(
      [.init("row", .int(row))] + (drop?.members ?? []) + [.init("sha256", .string(sha256))]
        + member("width", width) + member("height", height)
        + member("original_width", originalWidth) + member("original_height", originalHeight)
        + member("offset", bytes?.offset) + member("length", bytes?.length))
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
      originalHeight: json["original_height"]?.integer)
  }
}

/// What deduplication decided on one decoded picture.
public struct Verdict: Sendable, Equatable {
  public var row: Int
  public var sha256: String
  public var drop: Drop?

  public init(row: Int, sha256: String, drop: Drop? = nil) {
    self.row = row
    self.sha256 = sha256
    self.drop = drop
  }

  public var json: JSONValue {
    .object(
      [.init("row", .int(row)), .init("sha256", .string(sha256))] + (drop?.members ?? []))
  }

  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let sha256 = json["sha256"]?.text else { return nil }
    self.init(row: row, sha256: sha256, drop: Drop(json))
  }
}

extension JSONLines {
  /// Reads a table whose rows are all of one kind.
  ///
  /// - Throws: ``TableError`` naming the first line that is not.
  public static func read<T>(_ path: String, as make: (JSONValue) -> T?) throws -> [T] {
    try read(path).enumerated().map { index, row in
      guard let value = make(row) else {
        throw TableError(path: path, line: index + 1, problem: "a field is missing")
      }
      return value
    }
  }
}
