import ArgumentParser
import AuditedScores
import CLIPTraining
import DurableFiles
import ImageCodec
import PairDataset
import PipelineCore
import SceneWorld
import TensorEngine

/// `score-pairs`: from the bytes of pictures and the strings of captions to scores.
struct ScorePairsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score-pairs",
    abstract: "Score the pairs of a shard: decode, resize, tokenise, both towers, cosine.",
    discussion: """
      The shard is read before. Every round begins with nothing remembered; captions and pictures \
      that come again within the shard are encoded once, unless --each says otherwise. With --cut, \
      the pairs above that fraction are found by int8 with an audit, and the line says what the audit \
      found.
      """)

  @Argument(help: "A shard with `.jpg` and `.txt` members.")
  var shard: String?

  @Option(help: "In place of a shard, this many drawn scenes, half of them with another's caption.")
  var scenes: Int?

  @Option(help: "Weights in a safetensors file, or a folder of training.")
  var weights: String

  @Option(help: "The configuration of weights without a description.")
  var modelConfig: String?

  @Option(help: "Threads of the whole.")
  var threads = 2

  @Option(
    help: "Pairs that go through a tower together, at most. (default: found as the program does)")
  var batch: Int?

  @Option(help: "Keep this fraction of the best, decided by int8.")
  var cut: Double?

  @Option(help: "Write a score on each line, in the shard's order.")
  var out: String?

  @Flag(help: "Make every caption and picture one of its own.")
  var each = false

  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(threads, "--threads")
    if let batch { try requirePositive(batch, "--batch") }
    guard (shard == nil) != (scenes == nil) else {
      throw ValidationError("Name a shard, or give --scenes.")
    }
    if let scenes { try requirePositive(scenes, "--scenes") }
    if let cut, !(0...1).contains(cut) { throw ValidationError("--cut is \(cut); give 0 to 1.") }
  }

  func run() throws {
    TensorThreads.set(threads)
    precision.apply()
    var pairs = try scenes.map(Self.drawn) ?? []
    if let shard { try ShardReader(path: shard).forEach { pairs.append($0) } }
    if each {
      for index in pairs.indices {
        // Behind the end marker, where no decoder looks; and one more word.
        pairs[index].image += [UInt8(index & 255), UInt8(index >> 8 & 255), UInt8(index >> 16)]
        pairs[index].caption += " \(index)"
      }
    }
    let wanted: ScoringPrecision =
      cut != nil || precision.precision == .int8 ? .int8 : .float32
    let scorer = try CLIPScorer(
      folderOrWeights: weights, configuration: modelConfig, batchSize: batch ?? 64,
      precision: wanted)
    if batch == nil { try scorer.calibrate() }
    var scores: [Float] = []
    var report: ScoreAuditReport?
    var seconds: [Double] = []
    var processor: [Double] = []
    for round in 0...repetition.rounds {
      scorer.forget()
      let few = round == 0 ? Array(pairs.prefix(2 * scorer.batchSize)) : pairs
      processor.append(
        try Rounds.Clock.processor.seconds {
          seconds.append(
            try Rounds.Clock.wall.seconds {
              if let cut, round > 0 {
                let result = try Self.decide(few, by: scorer, cut: .topFraction(cut))
                (scores, report) = (result.scores, result.report)
              } else {
                scores = try scorer.scores(of: few, in: precision.precision)
              }
            })
        })
    }
    if let out {
      try DurableFile.write(Array(scores.map { "\($0)\n" }.joined().utf8), to: out)
    }
    let rounds = Rounds(clock: .wall, seconds: Array(seconds.dropFirst()))
    let cores = Rounds(clock: .processor, seconds: Array(processor.dropFirst()))
    let count = Double(pairs.count)
    Figure(
      name: "score-pairs",
      values: [
        .init("precision", .string(cut == nil ? precision.precision.rawValue : "int8, audited")),
        .init("instructions", .string(precision.instructions)), .init("pairs", .int(pairs.count)),
        .init("batch", .int(scorer.batchSize)),
        .init("pairs_per_s", .rounded(count / rounds.median)),
        .init("pairs_per_cpu_s", .rounded(count / cores.median)),
        .init("peak_mb", .rounded(try ProcessMemory.megabytes("VmHWM"))),
      ] + Self.values(report), threads: threads, rounds: rounds
    ).print()
  }

  /// What of the pairs is kept, mostly by scores of bytes.
  private static func decide(
    _ pairs: [Pair], by scorer: CLIPScorer, cut: ScoreCut
  ) throws -> AuditedCut.Result {
    let (audit, keys) = (ScoreAudit(), pairs.map(\.key))
    var decision = AuditedCut(
      try scorer.scores(of: pairs, in: .int8), ranks: keys.map(audit.rank), keys: keys, cut: cut,
      audit: audit)
    while !decision.open.isEmpty {
      decision.take(try scorer.scores(of: decision.open.map { pairs[$0] }, in: .float32))
    }
    return decision.result()
  }

  private static func drawn(_ count: Int) throws -> [Pair] {
    try (0..<count).map { index in
      let scene = SceneWorld.scene(seed: 77, index: index)
      let said =
        index.isMultiple(of: 2) ? scene : SceneWorld.mismatch(for: scene, seed: 77, index: index)
      let image = SceneWorld.render(scene, size: 64, variation: UInt64(index))
      return Pair(
        key: "\(index)", caption: said.canonicalCaption,
        image: try ImageEncoder.jpeg(image, quality: 90), metadata: [])
    }
  }

  private static func values(_ report: ScoreAuditReport?) -> [JSONValue.Member] {
    guard let report else { return [] }
    return [
      .init("sampled", .int(report.sampled)), .init("rescored", .int(report.rescored)),
      .init("largest_error", .rounded(Double(report.largestError))),
      .init("mean_error", .rounded(Double(report.meanError))),
      .init("bound", .rounded(Double(report.bound))), .init("corrected", .int(report.corrected)),
      .init("beyond_bound", .int(report.beyondBound)),
    ]
  }
}
