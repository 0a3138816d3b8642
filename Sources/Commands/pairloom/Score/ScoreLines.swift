import AuditedScores
import PipelineCore
import ShardScoring

/// What `pairloom score` says while it works and at its end.
struct ScoreLines {
  let outcome: ShardScoringOutcome
  let out: String
  /// Where scores were cut.
  var audited: AuditedScoringOutcome?

  static func progress(_ state: AuditedScoringProgress) -> String {
    switch state {
    case .scoring(let state): return progress(state) + " (int8)"
    case .rescoring(let round, let done, let pairs):
      let what = round == 0 ? "the audit's sample" : "near the cut, round \(round)"
      return "score: \(what): \(done) of \(pairs) pairs in float32"
    }
  }

  static func progress(_ state: ScoringProgress) -> String {
    let rate = Int(state.pairsPerSecond.rounded())
    let left = state.secondsLeft.map { ", \(duration($0)) left" } ?? ""
    return "score: \(state.shardsDone) of \(state.shards) shards, \(state.pairs) pairs here,"
      + " \(rate) pairs/s\(left)"
  }

  /// For a person.
  var all: [String] {
    var lines: [String] = []
    if audited?.wasComplete ?? outcome.wasComplete {
      lines.append("\(out) is complete already; nothing was done again")
    }
    for (shard, problem) in outcome.unread.sorted(by: { $0.key < $1.key }) {
      lines.append("\(shard): not scored: \(problem)")
    }
    if outcome.redone > 0 {
      lines.append("\(outcome.redone) tables were damaged or of other shards, and are made anew")
    }
    for (reason, count) in outcome.faults.sorted(by: { $0.key < $1.key }) {
      lines.append("\(count) pairs without a score: \(reason)")
    }
    lines.append(
      "\(outcome.scored) of \(outcome.pairs) pairs of \(outcome.shards) shards have a score")
    if let scores = outcome.scores {
      let shares = ["0.05", "0.25", "0.5", "0.75", "0.95"].compactMap { share in
        scores.quantiles[share].map { "\(share): \(Self.digits(Double($0)))" }
      }
      lines.append(
        "scores \(Self.digits(Double(scores.minimum))) to \(Self.digits(Double(scores.maximum))), mean"
          + " \(Self.digits(scores.mean)), quantiles \(shares.joined(separator: ", "))")
    }
    if let audited, let audit = audited.audit {
      lines += audit.lines
      lines.append("\(audited.kept) of \(audit.pairs) pairs are kept by \(audited.cut)")
    }
    let seconds = outcome.seconds
    if outcome.pairsHere > 0 {
      lines.append(
        "\(outcome.pairsHere) pairs scored here; slowest: \(seconds.slowest) (reading"
          + " \(Self.duration(seconds.reading)), scoring \(Self.duration(seconds.scoring)), writing"
          + " \(Self.duration(seconds.writing)))")
    }
    return lines
  }

  /// For a program.
  var json: JSONValue {
    func number(_ value: Double) -> JSONValue { .number("\(value)") }
    var members: [JSONValue.Member] = [
      .init("scores", .string(out)), .init("shards", .int(outcome.shards)),
      .init("pairs", .int(outcome.pairs)), .init("scored", .int(outcome.scored)),
      .init("faults", Self.object(outcome.faults.mapValues { .int($0) })),
      .init("unread", Self.object(outcome.unread.mapValues { .string($0) })),
      .init("pairs_here", .int(outcome.pairsHere)), .init("redone", .int(outcome.redone)),
      .init("was_complete", .bool(audited?.wasComplete ?? outcome.wasComplete)),
      .init("reading_seconds", number(outcome.seconds.reading)),
      .init("scoring_seconds", number(outcome.seconds.scoring)),
      .init("writing_seconds", number(outcome.seconds.writing)),
    ]
    if let scores = outcome.scores {
      members += [
        .init("minimum", .number("\(scores.minimum)")),
        .init("maximum", .number("\(scores.maximum)")), .init("mean", number(scores.mean)),
        .init("quantiles", Self.object(scores.quantiles.mapValues { .number("\($0)") })),
      ]
    }
    if let audited {
      members += [
        .init("cut", .string("\(audited.cut)")), .init("rescored_here", .int(audited.rescoredHere)),
      ]
      if let audit = audited.audit {
        members += [.init("kept", .int(audited.kept)), .init("audit", Self.object(of: audit))]
      }
    }
    return .object(members)
  }

  private static func object(of audit: ScoreAuditReport) -> JSONValue {
    .object([
      .init("is_derived", .bool(false)), .init("pairs", .int(audit.pairs)),
      .init("sampled", .int(audit.sampled)),
      .init("largest_error", .number("\(audit.largestError)")),
      .init("mean_error", .number("\(audit.meanError)")),
      .init("bound", .number("\(audit.bound)")), .init("rescored", .int(audit.rescored)),
      .init("largest_rescored_error", .number("\(audit.largestRescoredError)")),
      .init("beyond_bound", .int(audit.beyondBound)), .init("corrected", .int(audit.corrected)),
    ])
  }

  private static func object(_ values: [String: JSONValue]) -> JSONValue {
    .object(values.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) })
  }

  private static func digits(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\((seconds * 10).rounded() / 10) s" }
    return whole < 3_600
      ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3_600) h \(whole / 60 % 60) min"
  }
}
