import PipelineCore

/// What became of one pair, all stages of a chunk put together.
///
/// The JSON beside a picture has img2dataset's fields in its order: the list's other columns,
/// caption, url, key, status, error_message, the sizes, sha256; then uid. A carried column whose name
/// is one of these is called `list_NAME`.
struct PairFate {
  var candidate: PairCandidate
  var fetched: FetchedRow?
  var decoded: DecodedRow?
  var verdict: Verdict?

  static let ownFields: Set<String> = [
    "caption", "url", "key", "status", "error_message", "width", "height", "original_width",
    "original_height", "sha256", "uid", "row", "reason", "of",
  ]

  /// The first drop on the pair's way; nil when it is in the shard.
  var drop: Drop? { candidate.drop ?? fetched?.drop ?? decoded?.drop ?? verdict?.drop }

  /// Whether every stage that should have seen the pair did, and none after its drop.
  var isComplete: Bool {
    if candidate.drop != nil { return fetched == nil }
    guard let fetched else { return false }
    if fetched.drop != nil { return decoded == nil }
    guard let decoded else { return false }
    return (decoded.drop == nil) == (verdict != nil)
  }

  private var status: String {
    guard let drop else { return "success" }
    switch (drop.reason, drop.reason.stage) {
    case (.badURL, _), (_, .download): return "failed_to_download"
    case (_, .decode): return "failed_to_resize"
    default: return "dropped"
    }
  }

  /// The same for the same input: libcurl's words, which tell milliseconds, stay in `fetched/`.
  private var message: String? {
    guard let drop else { return nil }
    switch drop.reason {
    case .httpStatus: return "HTTP Error \(fetched?.status.map { String($0) } ?? "unknown")"
    case .robots: return "Use of image disallowed by X-Robots-Tag directive: \(drop.detail)"
    case .duplicateURL, .duplicateBytes:
      return "\(drop.reason.rawValue) of row \(drop.survivor ?? -1)"
    case let reason where reason.stage == .decode && !drop.detail.isEmpty: return drop.detail
    default: return drop.reason.rawValue
    }
  }

  /// The JSON that goes into the shard.
  var metadata: JSONValue {
    func number(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let carried = candidate.columns.map {
      JSONValue.Member(Self.ownFields.contains($0.key) ? "list_" + $0.key : $0.key, $0.value)
    }
    return .object(
      carried + [
        .init("caption", .string(candidate.caption)), .init("url", .string(candidate.url)),
        .init("key", .string(candidate.uid)), .init("status", .string(status)),
        .init("error_message", text(message)), .init("width", number(decoded?.width)),
        .init("height", number(decoded?.height)),
        .init("original_width", number(decoded?.originalWidth)),
        .init("original_height", number(decoded?.originalHeight)),
        .init("sha256", text(decoded?.sha256)), .init("uid", .string(candidate.uid)),
      ])
  }

  /// The row of `shards/NNNNN.jsonl`: the list's row, the metadata, and why it was dropped.
  var tableRow: JSONValue {
    .object(
      [.init("row", .int(candidate.row))] + metadata.members
        + [
          .init("reason", drop.map { .string($0.reason.rawValue) } ?? .null),
          .init("of", drop?.survivor.map { .int($0) } ?? .null),
        ])
  }
}
