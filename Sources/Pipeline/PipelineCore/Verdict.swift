/// What deduplication decided on one decoded picture.
public struct Verdict: Sendable, Equatable {
  public var row: Int
  public var sha256: String
  public var drop: Drop?
  /// What a dropped pair is like, and how much.
  public var match: DuplicateMatch?

  public init(row: Int, sha256: String, drop: Drop? = nil, match: DuplicateMatch? = nil) {
    self.row = row
    self.sha256 = sha256
    self.drop = drop
    self.match = match
  }

  /// The columns of `deduplicated/`.
  public static let columns =
    [
      TableColumn("row", .int, isOptional: false), TableColumn("sha256", .text, isOptional: false),
    ] + Drop.columns + DuplicateMatch.columns

  public var json: JSONValue {
    .object(
      [.init("row", .int(row)), .init("sha256", .string(sha256))] + (drop?.members ?? [])
        + (match?.members ?? []))
  }

  /// Reads tables of before there were matches, too.
  public init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let sha256 = json["sha256"]?.text else { return nil }
    self.init(row: row, sha256: sha256, drop: Drop(json), match: DuplicateMatch(json))
  }
}

/// What a duplicate is like: a pair of this run, or of what the run was held against.
///
/// The row of a survivor of this run is ``Drop/survivor``.
public struct DuplicateMatch: Sendable, Equatable {
  /// The survivor's uid; what names a picture of an evaluation set there.
  public var uid: String?
  /// The index of another run, or the evaluation set, that has it; nil for this run.
  public var source: String?
  /// Bits in which the pHashes differ; nil where nobody had to look, as bytes or captions decided.
  public var distance: Int?
  /// How far the finer parts of the signatures lie from each other; nil where one of them has none.
  public var difference: Int?

  public init(
    uid: String? = nil, source: String? = nil, distance: Int? = nil, difference: Int? = nil
  ) {
    self.uid = uid
    self.source = source
    self.distance = distance
    self.difference = difference
  }

  public static let columns = [
    TableColumn("of_uid", .text), TableColumn("of_source", .text), TableColumn("distance", .int),
    TableColumn("difference", .int),
  ]

  public var members: [JSONValue.Member] {
    (uid.map { [.init("of_uid", .string($0))] } ?? [])
      + (source.map { [.init("of_source", .string($0))] } ?? [])
      + (distance.map { [.init("distance", .int($0))] } ?? [])
      + (difference.map { [.init("difference", .int($0))] } ?? [])
  }

  /// Nil where a row has none of it.
  init?(_ json: JSONValue) {
    let match = DuplicateMatch(
      uid: json["of_uid"]?.text, source: json["of_source"]?.text,
      distance: json["distance"]?.integer, difference: json["difference"]?.integer)
    if match == DuplicateMatch() { return nil }
    self = match
  }

  /// What a drop is a duplicate of, for a person: `row 17`, `UID in INDEX`; nil where it is of nothing.
  public static func words(_ drop: Drop, _ match: DuplicateMatch?) -> String? {
    if let survivor = drop.survivor { return "row \(survivor)" }
    guard let match else { return nil }
    let name = match.uid.map { $0 + (match.source == nil ? "" : " in ") } ?? ""
    return name + (match.source ?? "")
  }
}
