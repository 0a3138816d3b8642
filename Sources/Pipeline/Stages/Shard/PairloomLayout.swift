import PipelineCore

/// Pairloom's own layout: img2dataset's columns, and what else is known of a pair and of every drop.
///
/// Behind `sha256` stand the pair's uid, the perceptual hash of the original as it was decoded, before
/// crop, border and blur (16 hexadecimal digits), the ending of the kept picture's name, the HTTP
/// status and final URL of the answer that decided the pair's fate, and of a dropped pair the reason,
/// its class and, for duplicates, the row kept in its stead, or the uid there and the index or set that
/// has it, and how far the pictures are from each other.
struct PairloomLayout: ShardLayout {
  let hasCaptions = true
  let hasEXIF: Bool

  let ownFields: Set<String> = [
    "caption", "url", "key", "status", "error_message", "width", "height", "original_width",
    "original_height", "exif", "sha256", "uid", "row", "phash", "format", "http_status",
    "final_url", "reason", "class", "of", "of_uid", "of_source", "distance", "difference",
  ]

  /// What a shard's JSON tells; the table tells more.
  private func members(of fate: PairFate) -> [JSONValue.Member] {
    fate.candidate.columns
      + commonMembers(of: fate, status: status(of: fate), message: message(of: fate))
      + [.init("uid", .string(fate.candidate.uid))]
      + (fate.decoded?.phash.map { [.init("phash", .string($0))] } ?? [])
  }

  func metadata(of fate: PairFate) -> [UInt8] {
    Array(JSONValue.object(members(of: fate)).serialized.utf8)
  }

  func columns(carried: [TableColumn]) -> [TableColumn] {
    [TableColumn("row", .int, isOptional: false)]
      + carried + commonColumns(size: .int) + [
        TableColumn("uid", .text), TableColumn("phash", .text), TableColumn("format", .text),
        TableColumn("http_status", .int), TableColumn("final_url", .text),
        TableColumn("reason", .text), TableColumn("class", .text), TableColumn("of", .int),
      ] + DuplicateMatch.columns
  }

  func row(of fate: PairFate) -> JSONValue {
    var members = [.init("row", .int(fate.candidate.row))] + members(of: fate)
    if fate.drop == nil { members.append(.init("format", .string(fate.imageExtension))) }
    if let status = fate.answer?.status { members.append(.init("http_status", .int(status))) }
    if let url = fate.answer?.recorded("final_url") { members.append(.init("final_url", url)) }
    if let drop = fate.drop {
      members += [
        .init("reason", .string(drop.reason.rawValue)),
        .init("class", .string(fate.failureClass(of: drop).rawValue)),
      ]
      if let survivor = drop.survivor { members.append(.init("of", .int(survivor))) }
      members += fate.verdict?.match?.members ?? []
    }
    return .object(members)
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
    case .duplicateURL, .duplicateBytes, .duplicatePicture, .duplicateCaption, .captionLimit,
      .placeholder, .evaluationSet:
      return drop.reason.rawValue
        + (DuplicateMatch.words(drop, fate.verdict?.match).map { " of \($0)" } ?? "")
    case let reason where reason.stage == .decode && !drop.detail.isEmpty: return drop.detail
    default: return drop.reason.rawValue
    }
  }
}
