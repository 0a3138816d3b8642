import FilterStage
import PairDataset
import PipelineCore
import URLPipeline

/// The last word on a pair.
extension StoryTeller {
  /// What became of a pair, in one line.
  func conclusion(of record: PairRecord) async throws -> String {
    if record.isForgotten { return forgottenWords(record) }
    switch record.fate {
    case .kept:
      guard let place = try await finalShards().place(of: record) else {
        return "kept; but \(run.folder.dataset) lists no shard with it: `pairloom verify` tells why"
      }
      let key = try finalKey(at: place) ?? record.key ?? record.entry.candidate.uid
      return "kept: \(place.shard.file), key \(key)"
    case .pending:
      return
        "not done yet: \(record.stage?.rawValue ?? "a job") of chunk \(record.chunk) is to come"
    case .quarantined:
      return "given up with its chunk: \(record.stage?.rawValue ?? "a job") of chunk"
        + " \(record.chunk) is quarantined"
    case .rejected: return "rejected as the list was taken in"
    case .dropped: return try await droppedWords(record)
    }
  }

  private func forgottenWords(_ record: PairRecord) -> String {
    let at = forgottenAt(uid: record.entry.candidate.uid).map { ", " + LocalTime.words($0) } ?? ""
    return "forgotten: taken out by `pairloom forget`\(at); final"
  }

  private func droppedWords(_ record: PairRecord) async throws -> String {
    guard let drop = record.drop, let stage = record.stage else { return "dropped" }
    var words = "dropped in \(stage.rawValue): \(drop.reason.rawValue)"
    let fetched = record.entry.fetched
    switch drop.reason {
    case .duplicateURL, .duplicateBytes, .duplicatePicture, .duplicateCaption, .captionLimit,
      .placeholder, .evaluationSet:
      words += Self.likeness(drop, record.entry.verdict?.match)
      if let survivor = drop.survivor {
        if let fate = newest(try await records(ofRow: survivor)).map(Self.words) {
          words += ", which \(fate)"
        }
      }
    case .httpStatus: words += fetched?.status.map { " \($0)" } ?? ""
    case .lowScore:
      if let rule = try await lowScoreWords(record) { words += ": \(rule)" }
    default:
      if let rule = fetched?.recorded("policy_rule")?.text {
        words += " by \(rule)"
      } else if !drop.detail.isEmpty {
        // Decoding's words begin with the reason once more.
        let prefix = drop.reason.rawValue.replacing("_", with: " ") + ": "
        let isRepeated = drop.detail.hasPrefix(prefix)
        words += " (\(isRepeated ? String(drop.detail.dropFirst(prefix.count)) : drop.detail))"
      }
    }
    switch record.entry.standing {
    case .failed where record.entry.isTransient: return words + "; may heal"
    default: return words + "; final"
    }
  }

  /// What a duplicate is like: ` of row 17`, `: looks like row 17 (distance 4, difference 12)`.
  static func likeness(_ drop: Drop, _ match: DuplicateMatch?) -> String {
    guard let name = DuplicateMatch.words(drop, match) else {
      return drop.detail.isEmpty ? "" : " (\(drop.detail))"
    }
    let measures = [
      match?.distance.map { "distance \($0)" }, match?.difference.map { "difference \($0)" },
      drop.detail.isEmpty ? nil : drop.detail,
    ].compactMap { $0 }
    let isLike = drop.reason == .duplicatePicture || match?.distance != nil
    return (drop.reason == .evaluationSet ? ": near to " : isLike ? ": looks like " : " of ") + name
      + (measures.isEmpty ? "" : " (\(measures.joined(separator: ", ")))")
  }

  /// The fate of the row that is kept in a duplicate's stead.
  private static func words(_ survivor: PairRecord) -> String {
    if survivor.isForgotten { return "was taken out by `pairloom forget`" }
    switch survivor.fate {
    case .kept: return "was kept"
    case .dropped: return "was dropped (\(survivor.drop?.reason.rawValue ?? ""))"
    case .pending: return "is not done yet"
    case .quarantined: return "was given up with its chunk"
    case .rejected: return "was rejected"
    }
  }

  /// What the filter holds against a score.
  func lowScoreWords(_ record: PairRecord) async throws -> String? {
    guard let score = record.judgement?.score else { return nil }
    switch run.recipe?.filter {
    case .minScore(let threshold): return "\(score) is below filter.min_score \(threshold)"
    case .topFraction(let fraction):
      let lowest = try await finalShards().scores.lowestKept
      return "\(score) is not among the best by filter.top_fraction \(fraction)"
        + (lowest.map { ", of which the last has \($0)" } ?? "")
    case nil, .some(.none), .some(.plan): return "\(score)"
    }
  }

  /// What can be done about it.
  func advice(on record: PairRecord) -> [String] {
    let folder = run.folder.path
    switch record.fate {
    case .quarantined:
      return [
        "look at it: `pairloom quarantine \(folder) show \(record.chunk)`; do it again once the cause is"
          + " mended: `pairloom quarantine \(folder) release \(record.chunk) --run`"
      ]
    case .pending:
      return ["the `pairloom run` command that began the run does it; run it again if it has ended"]
    case .kept, .rejected: return []
    case .dropped:
      guard !record.isForgotten, case .failed(let reason, _) = record.entry.standing,
        record.entry.drop != nil
      else { return [] }
      let command = "`pairloom retry \(folder) --where \"row = \(record.row)\"`"
      if record.entry.isTransient { return ["ask again: \(command)"] }
      if Self.limits.contains(reason) {
        return [
          "a limit of the recipe; `pairloom run` with another and --redo tells what that takes"
        ]
      }
      return [
        "\(reason.rawValue) does not pass by itself; to ask again all the same: \(command)"
      ]
    }
  }

  /// Drops that the recipe's limits ask for: to ask the web again would not help.
  private static let limits: Set<DropReason> = [
    .tooManyPixels, .sideTooLong, .tooManyFrames, .tooLarge, .imageTooSmall, .imageAreaTooLarge,
    .aspectRatioTooLarge,
  ]

  /// The key that the pair has in a final shard, by the shard's own index.
  func finalKey(at place: (shard: ShardSummary, number: Int)) throws -> String? {
    let keys = try ShardReader(path: "\(run.folder.path)/\(place.shard.file)").keys
    return keys.indices.contains(place.number) ? keys[place.number] : nil
  }
}
