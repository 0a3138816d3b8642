import PipelineCore

/// How the pairs of a shard are named and described.
///
/// The JSON beside a picture and the row of the shard's table come from the same members, in
/// img2dataset's order: the list's other columns, caption, url, key, status, error_message, the
/// sizes, sha256 of the downloaded bytes.
protocol ShardLayout: Sendable {
  /// Whether pairs have a caption and a `.txt` for it, empty or not.
  var hasCaptions: Bool { get }

  /// The names of the layout's own columns; a column of the list has another.
  var ownFields: Set<String> { get }

  /// The name of the pair's members, without a dot; ``PairFate/key`` is it, made unique.
  func key(of fate: PairFate, chunk: Int) -> String

  /// The JSON that goes into the shard.
  func metadata(of fate: PairFate, chunk: Int) -> [UInt8]

  /// The columns of the shard's table.
  ///
  /// - Parameter carried: The list's other columns, under the names that they have here.
  /// - Returns: Theirs and the layout's own.
  func columns(carried: [TableColumn]) -> [TableColumn]

  /// The row of the shard's table.
  func row(of fate: PairFate, chunk: Int) -> JSONValue

  /// What else is published beside the shard: file endings and contents.
  func companions(of fates: [PairFate]) -> [(ending: String, content: [UInt8])]
}

extension ShardLayout {
  /// The members between the carried columns and a layout's own.
  func commonMembers(
    of fate: PairFate, key: String, status: String, message: String?
  ) -> [JSONValue.Member] {
    func number(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return (hasCaptions ? [.init("caption", .string(fate.candidate.caption))] : []) + [
      .init("url", .string(fate.candidate.url)), .init("key", .string(key)),
      .init("status", .string(status)),
      .init("error_message", text(message)), .init("width", number(fate.decoded?.width)),
      .init("height", number(fate.decoded?.height)),
      .init("original_width", number(fate.decoded?.originalWidth)),
      .init("original_height", number(fate.decoded?.originalHeight)),
      .init("sha256", text(fate.decoded?.sha256)),
    ]
  }

  /// The columns of ``commonMembers(of:key:status:message:)``.
  func commonColumns(size: TableColumn.Kind) -> [TableColumn] {
    (hasCaptions ? [TableColumn("caption", .text)] : []) + [
      TableColumn("url", .text), TableColumn("key", .text),
      TableColumn("status", .text), TableColumn("error_message", .text),
      TableColumn("width", size), TableColumn("height", size), TableColumn("original_width", size),
      TableColumn("original_height", size), TableColumn("sha256", .text),
    ]
  }
}

/// Pairloom's own layout: keys are uids, and the table tells the reason of every drop.
struct PairloomLayout: ShardLayout {
  let hasCaptions = true
  let ownFields: Set<String> = [
    "caption", "url", "key", "status", "error_message", "width", "height", "original_width",
    "original_height", "sha256", "uid", "row", "reason", "class", "of",
  ]

  func key(of fate: PairFate, chunk: Int) -> String { fate.candidate.uid }

  private func members(of fate: PairFate) -> [JSONValue.Member] {
    fate.candidate.columns
      + commonMembers(
        of: fate, key: fate.key, status: status(of: fate), message: message(of: fate))
      + [.init("uid", .string(fate.candidate.uid))]
  }

  func metadata(of fate: PairFate, chunk: Int) -> [UInt8] {
    Array(JSONValue.object(members(of: fate)).serialized.utf8)
  }

  func columns(carried: [TableColumn]) -> [TableColumn] {
    [TableColumn("row", .int, isOptional: false)]
      + carried + commonColumns(size: .int) + [
        TableColumn("uid", .text), TableColumn("reason", .text), TableColumn("class", .text),
        TableColumn("of", .int),
      ]
  }

  func row(of fate: PairFate, chunk: Int) -> JSONValue {
    .object(
      [.init("row", .int(fate.candidate.row))] + members(of: fate)
        + (fate.drop.map { drop in
          [
            .init("reason", .string(drop.reason.rawValue)),
            .init("class", .string(fate.failureClass(of: drop).rawValue)),
          ] + (drop.survivor.map { [.init("of", .int($0))] } ?? [])
        } ?? []))
  }

  func companions(of fates: [PairFate]) -> [(ending: String, content: [UInt8])] { [] }

  private func status(of fate: PairFate) -> String {
    guard let drop = fate.drop else { return "success" }
    switch (drop.reason, drop.reason.stage) {
    case (.badURL, _), (_, .download): return "failed_to_download"
    case (_, .decode): return "failed_to_resize"
    default: return "dropped"
    }
  }

  /// The same for the same input: libcurl's words, which tell milliseconds, stay in `fetched/`.
  private func message(of fate: PairFate) -> String? {
    guard let drop = fate.drop else { return nil }
    switch drop.reason {
    case .httpStatus: return "HTTP Error \(fate.fetched?.status.map { String($0) } ?? "unknown")"
    case .robots: return "Use of image disallowed by X-Robots-Tag directive"
    case .duplicateURL, .duplicateBytes:
      return "\(drop.reason.rawValue) of row \(drop.survivor ?? -1)"
    case let reason where reason.stage == .decode && !drop.detail.isEmpty: return drop.detail
    default: return drop.reason.rawValue
    }
  }
}
