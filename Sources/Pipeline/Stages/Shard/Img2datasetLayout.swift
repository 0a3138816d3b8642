import PipelineCore

/// What img2dataset 1.47.0 writes: its fields, its words, and `NNNNN_stats.json`.
///
/// Source: img2dataset's writer.py, downloader.py and logger.py. A row that Pairloom drops and
/// img2dataset would keep, such as a duplicate, counts as `failed_to_resize` with a message of ours,
/// so that the three counts still add up.
struct Img2datasetLayout: ShardLayout {
  /// Without a column of captions that program writes neither `.txt` nor field.
  var hasCaptions: Bool
  var hasEXIF: Bool

  let ownFields: Set<String> = [
    "caption", "url", "key", "status", "error_message", "width", "height", "original_width",
    "original_height", "exif", "md5", "sha256", "sha512",
  ]

  private func members(of fate: PairFate) -> [JSONValue.Member] {
    fate.candidate.columns
      + commonMembers(
        of: fate, status: status(of: fate).rawValue, message: message(of: fate), noEXIF: "{}")
  }

  func metadata(of fate: PairFate) -> [UInt8] {
    Array(PythonJSON.text(.object(members(of: fate)), indent: 4).utf8)
  }

  func columns(carried: [TableColumn]) -> [TableColumn] {
    carried + commonColumns(size: .int32)
  }

  func row(of fate: PairFate) -> JSONValue { .object(members(of: fate)) }

  func companions(of fates: [PairFate]) -> [(ending: String, content: [UInt8])] {
    var counts: [Status: Int] = [:]
    var messages: [(message: String, count: Int)] = []
    for fate in fates {
      counts[status(of: fate), default: 0] += 1
      let message = message(of: fate) ?? Status.success.rawValue
      if let known = messages.firstIndex(where: { $0.message == message }) {
        messages[known].count += 1
      } else {
        messages.append((message, 1))
      }
    }
    // The only clock in a shard's files, and in this layout alone.
    let transfers = fates.compactMap(\.fetched)
    let starts = transfers.compactMap { $0.number("started_at").map { $0 / 1_000 } }
    let ends = transfers.compactMap { row in
      row.number("started_at").map { $0 / 1_000 + (row.number("seconds") ?? 0) }
    }
    let (start, end) = (starts.min() ?? 0, ends.max() ?? 0)
    let stats = JSONValue.object([
      .init("count", .int(fates.count)), .init("successes", .int(counts[.success] ?? 0)),
      .init("failed_to_download", .int(counts[.failedToDownload] ?? 0)),
      .init("failed_to_resize", .int(counts[.failedToResize] ?? 0)),
      .init("duration", .number("\(end - start)")), .init("start_time", .number("\(start)")),
      .init("end_time", .number("\(end)")),
      .init("status_dict", .object(messages.map { .init($0.message, .int($0.count)) })),
    ])
    return [("_stats.json", Array(PythonJSON.text(stats, indent: 4).utf8))]
  }

  private enum Status: String {
    case success
    case failedToDownload = "failed_to_download"
    case failedToResize = "failed_to_resize"
  }

  private func status(of fate: PairFate) -> Status {
    guard let drop = fate.drop else { return .success }
    switch (drop.reason, drop.reason.stage) {
    // A body that is no picture was downloaded, there; here its rest was not asked for.
    case (.badURL, _), (_, .download): return .failedToDownload
    default: return .failedToResize
    }
  }

  /// The words that img2dataset's users look for.
  private func message(of fate: PairFate) -> String? {
    guard let drop = fate.drop else { return nil }
    if let message = fate.importedMessage { return message }
    switch drop.reason {
    case .httpStatus:
      let status = fate.fetched?.status ?? 0
      return "HTTP Error \(status): \(ReasonPhrase.of(status))"
    case .timeout: return "<urlopen error timed out>"
    case .dns: return "<urlopen error [Errno -3] Temporary failure in name resolution>"
    case .noSuchHost: return "<urlopen error [Errno -2] Name or service not known>"
    case .connect: return "<urlopen error [Errno 111] Connection refused>"
    case .badURL: return UrllibWords.badURL(fate.candidate.url) ?? drop.reason.rawValue
    case .redirect:
      return UrllibWords.redirect(detail: drop.detail, status: fate.fetched?.status ?? 302)
    case .tls:
      return UrllibWords.tls(detail: drop.detail, host: fate.answeringHost)
    case .incomplete:
      // Tries of one URL mostly end alike.
      let received = fate.fetched?.number("received_bytes") ?? 0
      let tries = max(1, fate.fetched?.number("tries") ?? 1)
      return UrllibWords.incomplete(detail: drop.detail, received: Int(received / tries))
    case .robots: return "Use of image disallowed by X-Robots-Tag directive"
    case .hashMismatch: return "hash mismatch"
    case .imageTooSmall: return "image too small"
    case .imageAreaTooLarge: return "image area too large"
    case .aspectRatioTooLarge: return "aspect ratio too large"
    case .empty, .notAnImage, .unsupportedFormat, .truncated, .corrupt:
      return "Image decoding error"
    case .duplicateURL, .duplicateBytes, .duplicatePicture, .duplicateCaption, .captionLimit,
      .placeholder, .evaluationSet:
      return drop.reason.rawValue
        + (DuplicateMatch.words(drop, fate.verdict?.match).map { " of \($0)" } ?? "")
    default: return drop.reason.rawValue
    }
  }
}
