import ContentHashing
import PairDataset
import PipelineCore

/// ``ByteScorer``'s scores, and coarse ones that are off by up to 0.01.
final class CoarseScorer: RescoringPairScorer {
  let name = "bytes-int8"
  let provenance: [String: String]
  private let delay: Duration
  private let failAt: Int?
  private let calls = Calls()

  /// Is killed at a call, if asked: `failAt` counts them, from 1, of both kinds.
  init(weights: String = "w1", delay: Duration = .zero, failAt: Int? = nil) {
    provenance = ["weights": weights, "precision": "int8, audited"]
    self.delay = delay
    self.failAt = failAt
  }

  /// Pairs that were asked for, and how often.
  var asked: (coarse: Int, exact: Int, calls: Int) { get async { await calls.all } }

  static func coarse(_ pair: Pair) -> Float {
    let byte = ContentHash.sha256(pair.image)[0]
    return ByteScorer.score(pair) + (Float(byte) / 255 - 0.5) * 0.02
  }

  func scores(of pairs: [Pair]) async throws -> [Float] { pairs.map(Self.coarse) }

  func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await Task.sleep(for: delay)
    try await calls.count(coarse: pairs.count, failAt: failAt)
    return pairs.map {
      $0.image[0] == 255
        ? PairScore(.undecodable("begins with 255")) : PairScore(Self.coarse($0), kind: "int8")
    }
  }

  func exactScores(of pairs: [Pair]) async throws -> [Float] {
    try await Task.sleep(for: delay)
    try await calls.count(exact: pairs.count, failAt: failAt)
    return pairs.map(ByteScorer.score)
  }

  private actor Calls {
    private(set) var all = (coarse: 0, exact: 0, calls: 0)

    func count(coarse: Int = 0, exact: Int = 0, failAt: Int?) throws {
      all.calls += 1
      if let failAt, all.calls >= failAt { throw ByteScorer.Killed() }
      all.coarse += coarse
      all.exact += exact
    }
  }
}
