package import PipelineCore

/// What a user may do about the rows that a finished run lost, in a line each.
package struct RunAdvice {
  private let status: RunStatus
  private let folder: RunFolder

  package init(status: RunStatus, folder: RunFolder) {
    self.status = status
    self.folder = folder
  }

  /// Empty where a run lost less than half of its rows, and none that may heal or was rejected.
  package var lines: [String] {
    guard status.isFinished, status.quarantined.isEmpty else { return [] }
    guard status.pairs("rows") > 0 else { return ["the list is empty: it has no row"] }
    return [rejects, losses, healing].compactMap { $0 }
  }

  /// The first row that could not be read, and where all of them are.
  private var rejects: String? {
    guard status.rejected > 0 else { return nil }
    let words = "\(Self.rows(status.rejected)) of the list could not be read"
    // The table says more than the count, which is known without it.
    guard let first = try? PairTable.read(folder.rejects, limit: 1).first,
      let file = first["file"]?.text, let line = first["line"]?.integer,
      let reason = first["reason"]?.text
    else { return "\(words): see \(folder.rejects)" }
    return "\(words); the first: \(file), line \(line): \(reason). All are in \(folder.rejects)"
  }

  /// The commonest reason, where nothing or less than half was kept.
  private var losses: String? {
    let usable = status.pairs("rows") - status.rejected
    let kept = status.pairs("kept")
    // What a filter leaves out is what it was asked to, unless nothing is left.
    let losses = kept == 0 ? status.failures : status.failures.filter { $0.key != "low_score" }
    let lost = losses.values.reduce(0, +)
    guard lost > 0, kept == 0 || lost * 2 > usable,
      let worst = losses.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })
    else { return nil }
    let advice = DropReason(rawValue: worst.key).flatMap(remedy(for:)).map { ": \($0)" } ?? ""
    return (kept == 0 ? "nothing was kept" : "\(lost) of \(Self.rows(usable)) were dropped")
      + ", \(worst.value) for \(worst.key)" + advice
  }

  private var healing: String? {
    guard status.transient > 0 else { return nil }
    return "`pairloom retry \(folder.path)` may heal \(Self.rows(status.transient))"
  }

  private static func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count) rows" }

  private func remedy(for reason: DropReason) -> String? {
    switch reason {
    case .addressRefused:
      "the hosts have private addresses; a run in a new folder with --set allow_addresses=BLOCK,"
        + " such as 127.0.0.0/8, asks them"
    case .hostDenied: "see the recipe's allow_hosts and deny_hosts"
    case .dns, .noSuchHost: "`pairloom doctor` tells whether this machine can look names up"
    case .connect, .tls, .timeout, .incomplete:
      "`pairloom doctor` tells how well this machine reaches the web"
    case .robots, .robotsTxt, .tdmReserved, .contentUsage:
      "the sites do not allow it; the recipe's policy says whose word counts"
    case .httpStatus:
      "`pairloom retry \(folder.path) --dry-run --where \"status = 404\"` counts one status"
    case .badURL: "the column of URLs holds something else; name it with --set url_column=NAME"
    case .notAnImage, .empty, .unsupportedFormat, .truncated, .corrupt:
      "the URLs lead to something else than pictures; look at some of them"
    case .hashMismatch: "the web has changed since the list was made; --set hash=off takes it as is"
    case .imageTooSmall: "see the recipe's min_image_size"
    case .imageAreaTooLarge: "see the recipe's max_image_area"
    case .aspectRatioTooLarge: "see the recipe's max_aspect_ratio"
    case .tooManyPixels: "see the recipe's max_pixels"
    case .sideTooLong: "see the recipe's max_side"
    case .tooManyFrames: "see the recipe's max_frames"
    case .tooLarge: "see the recipe's download.max_bytes"
    case .duplicateURL, .duplicateBytes, .duplicatePicture:
      "the list repeats itself; `pairloom explain \(folder.path) ROW` shows of what a row is a copy"
    case .duplicateCaption, .captionLimit:
      "see the recipe's duplicates.caption_limit and duplicates.caption_similarity"
    case .placeholder:
      "one picture stands under many captions, URLs or hosts; see the recipe's duplicates.placeholders"
    case .evaluationSet: "they are in a set that models are measured with"
    case .lowScore, .filterRule: "see the recipe's filter"
    case .badBoxes: "the recipe's bbox_column names boxes as [[x0, y0, x1, y1], ...] from 0 to 1"
    case .decoderCrashed:
      "decoded/*.parquet in the run's folder names each with its hash; memory, cpu and wall are the"
        + " recipe's decode_memory, decode_cpu_seconds and decode_wall_seconds"
    case .redirect, .protocolError, .hashBlocked, .cannotEncode, .forgotten: nil
    }
  }
}
