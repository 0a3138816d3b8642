import AuditedScores
import PairDataset
import PipelineCore
import WorkerThreads

/// What a cut says of the pairs of a run.
struct ScoreJudgement: Sendable {
  /// With the scores that decided.
  var pairs: ScoredPairs
  /// What each score was computed in, where an audit tells.
  var kinds: [ScoreKind?]?
  var kept: [Bool]
  /// What decided, for the footers of verdicts.
  var facts: [(key: String, value: String)] = []
}

/// A chunk's shard, to a judge.
struct JudgedShard: Sendable {
  var chunk: Int
  /// SHA-256 of the shard's file.
  var sha256: String
}

/// Cuts the scores of a run, those of bytes with an audit.
struct ScoreJudge: Sendable {
  let cut: ScoreCut
  /// Whose scores count.
  let scorer: String
  /// Scores again what lies near the cut; nil where the scores are exact.
  let rescorer: (any RescoringPairScorer)?
  let audit: ScoreAudit
  let folder: RunFolder
  /// Pairs per call of the scorer.
  static let batch = 64

  /// Judges the pairs of all shards.
  ///
  /// - Throws: What is wrong with a table or shard, what the scorer throws, `CancellationError`.
  func judge(_ shards: [JudgedShard]) async throws -> ScoreJudgement {
    let chunks = shards.map(\.chunk)
    guard let rescorer else {
      return try await Parallel.detached {
        let pairs = try ScoredPairs(chunks, in: folder, scorer: scorer)
        return ScoreJudgement(pairs: pairs, kept: cut.kept(pairs.scores, keys: pairs.keys))
      }
    }
    var (pairs, open) = try await Parallel.detached {
      let pairs = try ScoredPairs(chunks, in: folder, scorer: scorer, audit: audit)
      let open = AuditedCut(
        pairs.scores, ranks: pairs.ranks, keys: pairs.keys, cut: cut, audit: audit)
      return (pairs, open)
    }
    var known: [Int: RescoredPairs] = [:]
    let result = try await open.decide { _, places in
      var exact: [Float] = []
      for (number, places) in Self.split(places, by: pairs.ranges) {
        var scores =
          if let there = known[number] { there } else {
            try await Parallel.detached {
              try RescoredPairs(of: shards[number], in: folder, by: rescorer)
            }
          }
        exact += try await rescore(places, of: shards[number], pairs, by: rescorer, &scores)
        known[number] = scores
      }
      return exact
    }
    pairs.scores = result.scores
    return ScoreJudgement(
      pairs: pairs, kinds: result.kinds, kept: result.kept,
      facts: [("cut", "\(cut)"), ("audit", "\(audit)")] + result.report.metadata)
  }

  /// Places in order, by the range that each is in.
  private static func split(
    _ places: [Int], by ranges: [Range<Int>]
  ) -> [(number: Int, places: ArraySlice<Int>)] {
    var rest = places[...]
    var parts: [(number: Int, places: ArraySlice<Int>)] = []
    for (number, range) in ranges.enumerated() {
      let part = rest.prefix { $0 < range.upperBound }
      if !part.isEmpty { parts.append((number, part)) }
      rest = rest.dropFirst(part.count)
    }
    return parts
  }

  /// The exact scores at `places` of one shard, of which those that are not known are made and noted.
  private func rescore(
    _ places: ArraySlice<Int>, of shard: JudgedShard, _ pairs: ScoredPairs,
    by rescorer: any RescoringPairScorer, _ known: inout RescoredPairs
  ) async throws -> [Float] {
    let missing = places.filter { known.scores[pairs.keys[$0]] == nil }
    if !missing.isEmpty {
      let (folder, chunk) = (folder, shard.chunk)
      let reader = try await Parallel.detached {
        guard let path = ShardFiles.shard(chunk, in: folder.shards) else {
          throw StageError(.filter, chunk: 0, "shard \(chunk) was written and is gone")
        }
        return try ShardReader(path: path)
      }
      guard let begin = pairs.ranges.first(where: { $0.contains(missing[0]) })?.lowerBound,
        missing.allSatisfy({ $0 - begin < reader.count })
      else {
        throw StageError(.filter, chunk: 0, "shard \(chunk) holds other pairs than were scored")
      }
      for start in stride(from: 0, to: missing.count, by: Self.batch) {
        try Task.checkCancellation()
        let part = Array(missing[start..<min(start + Self.batch, missing.count)])
        let samples = try await Parallel.detached {
          try part.map { try reader.pair(at: $0 - begin) }
        }
        guard samples.map(\.key) == part.map({ pairs.keys[$0] }) else {
          throw StageError(.filter, chunk: 0, "shard \(chunk) holds other pairs than were scored")
        }
        let exact = try await rescorer.exactScores(of: samples)
        precondition(exact.count == part.count, "\(exact.count) of \(part.count) exact scores")
        for (sample, score) in zip(samples, exact) {
          guard score.isFinite else {
            throw StageError(.filter, chunk: 0, "the score of \(sample.key) is \(score)")
          }
          known.scores[sample.key] = score
        }
      }
      let noted = known
      try await Parallel.detached { try noted.write(to: folder) }
    }
    return places.map { known.scores[pairs.keys[$0]] ?? .nan }
  }
}
