import BatchLoading
import Foundation
import SeededRandom
import Testing
import TrainingLedger
import pairloom

/// What those who watch a training run see of its log.
@Suite struct TrainingViewTests {
  private func line(_ json: String) throws -> TrainingLine {
    try #require(TrainingLine(json: Array(json.utf8)))
  }

  /// A history of losses that fall, with an evaluation every ten steps.
  private func history(steps: Int) throws -> TrainingHistory {
    var history = TrainingHistory()
    for step in 1...steps {
      history.add(
        try line(
          """
          {"step":\(step),"samples":\(step * 64),"loss":\(4.0 / Double(step)),"lr":0.001,"grad_norm":1.5,\
          "pairs_per_s":100,"replaced_pairs":2,"scalars":{"logit_scale":14.2},\
          "shares":{"forward":0.25,"backward":0.5,"data":0.125,"mystery":0.125}}
          """))
      guard step % 10 == 0 else { continue }
      history.add(
        try line(
          """
          {"step":\(step),"loss":1,"evaluation":{"r/image_to_text_r_at_1":\(step == 20 ? 0.5 : 0.25),\
          "r/image_to_text_mean_rank":\(100 - step)}}
          """))
    }
    return history
  }

  @Test(
    "a log's line gives numbers by name, its scalars among them; a torn or foreign one gives none")
  func lines() throws {
    let all = TrainingLine.lines(
      of: Array(
        """
        {"step":1,"loss":2.5,"scalars":{"logit_scale":14},"time":{"data":0.1}}
        {"step":1,"loss":2.5,"evaluation":{"a/top_1":0.5}}
        nothing
        {"loss":3}
        {"step":2,"los
        """.utf8))
    #expect(all.count == 2)
    #expect(all[0].values == ["loss": 2.5, "logit_scale": 14] && all[0].shares == ["data": 0.1])
    #expect(all[1].values.isEmpty && all[1].evaluation == ["a/top_1": 0.5])
    #expect(
      TrainingEvents.tagged(all[0]) == [
        "train/loss": 2.5, "train/logit_scale": 14, "time/data": 0.1,
      ])
    #expect(TrainingEvents.tagged(all[1]) == ["eval/a/top_1": 0.5])
  }

  @Test(
    "a thinned curve keeps sums, extremes and order in its buckets, however long",
    arguments: [1, 500, 501, 12_345])
  func thinned(count: Int) {
    var random = RandomStream(seed: UInt64(count))
    let values = (0..<count).map { _ in random.uniform() }
    var curve = ThinnedCurve()
    for (index, value) in values.enumerated() { curve.add(step: index + 1, value) }
    curve.add(step: count + 1, .nan)
    #expect(curve.buckets.count <= 500 && curve.buckets.count > min(count, 500) / 2 - 1)
    #expect(curve.buckets.map(\.least).min() == values.min())
    #expect(curve.buckets.map(\.greatest).max() == values.max())
    #expect(zip(curve.buckets, curve.buckets.dropFirst()).allSatisfy { $0.step < $1.step })
    // The naive thinning: groups of the same power of two.
    let size = stride(from: 0, to: 40, by: 1).map { 1 << $0 }.first { $0 * 500 >= count } ?? 1
    let groups = stride(from: 0, to: count, by: size).map {
      Array(values[$0..<min($0 + size, count)])
    }
    #expect(curve.buckets.count == groups.count)
    for (bucket, group) in zip(curve.buckets, groups) {
      // Sums in another order.
      #expect(abs(bucket.mean - group.reduce(0, +) / Double(group.count)) < 1e-12)
      #expect(bucket.least == group.min() && bucket.greatest == group.max())
    }
  }

  @Test(
    "the panel shows progress, time left, shares, the best evaluation, checkpoint and replaced pairs"
  )
  func panel() throws {
    let panel = TrainingPanel(
      history: try history(steps: 30), steps: 120, ranks: 2, fromStep: 10, elapsed: 40,
      checkpoint: (25, 3))
    let text = panel.lines.joined(separator: "\n")
    // 20 steps in 40 s; 90 to go.
    for part in [
      "step 30/120", "25.0 %", "about 3 min 0 s left", "loss 0.1333", "lr 1.00e-03",
      "logit scale 14.2",
      "100 pairs/s", "backward 50.0 %", "mystery 12.5 %", "r_at_1 25.00 % (best 50.00 % at 20)",
      "checkpoint of step 25, 3 s ago", "2 pairs replaced", "2 ranks",
    ] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
    #expect(panel.lines.count <= 6)
    #expect(text.contains("█▁") || text.contains("▁"), "a sparkline")
  }

  @Test("the report draws every curve, is one file without scripts, and takes words as words")
  func report() throws {
    let attempt = TrainingAttempt(
      number: 1, host: "h", process: 1, startedAt: 1_000, seenAt: 62_000, endedAt: 62_000,
      fromStep: 0, toStep: 30, outcome: .failed, error: "loss <nan>",
      facts: ["steps": "120", "pairs": "640", "global_batch": "64", "data": "/d&d/dataset.json"])
    let html = TrainingReport(
      folder: "runs/<b>", history: try history(steps: 30), attempts: [attempt],
      checkpoints: [
        TrainingCheckpoint(
          file: "checkpoints/step-00000025.safetensors", step: 25, attempt: 1, bytes: 10,
          sha256: String(repeating: "ab", count: 32), writtenAt: 5_000, removedAt: 6_000)
      ]
    ).html
    // loss, rate, gradient, two figures, logit scale, speed
    #expect(html.components(separatedBy: "<polyline").count - 1 == 7)
    for part in [
      "1\u{202F}920 samples of 640 pairs", "loss &lt;nan&gt;", "/d&amp;d/dataset.json",
      "runs/&lt;b&gt;",
      "rotated away", "50.0 %", "25.00 %", "×10⁻³",
    ] {
      #expect(html.contains(part), "\(part)")
    }
    for part in ["<script", "http://", "https://", "<b>\"", "NaN", "nan\""] {
      #expect(!html.contains(part), "\(part)")
    }
    // Nothing to tell yet is no reason to fail.
    let empty = TrainingReport(
      folder: "o", history: TrainingHistory(), attempts: [], checkpoints: []
    ).html
    #expect(empty.contains("</html>"))
  }

  @Test("the steps that saw a pair are those whose batches hold it")
  func seen() {
    let (pairs, batch, done) = (50, 16, 20)
    var order = PairOrder(count: pairs, seed: 7)
    let batches = (0..<done).map { step in
      (0..<batch).map { order.visit(at: step * batch + $0).index }
    }
    for number in 0..<pairs {
      let steps = SeenPair.steps(
        of: number, in: PairOrder(count: pairs, seed: 7), batch: batch, done: done)
      let expected = batches.indices.flatMap { step in
        batches[step].filter { $0 == number }.map { _ in step + 1 }
      }
      #expect(steps == expected)
      #expect((6...7).contains(steps.count))
    }
  }
}
