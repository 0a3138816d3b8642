import AuditedScores
import BatchLoading
import CLIPModel
import CLIPTraining
import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import SceneWorld
import SeededRandom
import TensorEngine
import Testing
import WeightFiles

/// The scorer of scenes that is inside the program, on scenes that it never saw.
@Suite struct CLIPScorerTests {
  static let folder =
    URL(filePath: #filePath).appending(path: "../../../../Sources/CLibraries/CBundledFiles/scorer")
    .standardizedFileURL.path

  /// Pairs of which half have the caption of another scene.
  static func pairs(_ count: Int) throws -> [Pair] {
    try (0..<count).map { index in
      let scene = SceneWorld.scene(seed: 77, index: index)
      let said =
        index.isMultiple(of: 2) ? scene : SceneWorld.mismatch(for: scene, seed: 77, index: index)
      return Pair(
        key: String(format: "%06d", index), caption: said.canonicalCaption,
        image: try ImageEncoder.jpeg(
          SceneWorld.render(scene, size: 48, variation: UInt64(index)), quality: 90),
        metadata: [])
    }
  }

  @Test("a pair has the same score in any batch, in any order, with any number of threads")
  func independence() throws {
    var pairs = try Self.pairs(60)
    // Equal pictures and equal captions, and both.
    pairs[7].image = pairs[3].image
    pairs[9].caption = pairs[4].caption
    (pairs[11].image, pairs[11].caption) = (pairs[5].image, pairs[5].caption)
    let scores = try CLIPScorer(folderOrWeights: Self.folder).scores(of: pairs)
    // The definition: one pair after the other through the classes that are trained.
    let trained = try TrainedCLIP.load(Self.folder)
    for (pair, score) in zip(pairs, scores).prefix(12) {
      let image = trained.imageFeatures([try ImageDecoder.decode(pair.image)]).values
      let text = trained.textFeatures([pair.caption]).values
      // Four layers in Float.
      #expect(abs(zip(image, text).reduce(0) { $0 + $1.0 * $1.1 } - score) < 1e-5)
    }
    #expect(scores[11] == scores[5])
    for (threads, batch) in [(1, 64), (2, 1), (2, 7), (3, 64)] {
      try TensorThreads.within(threads) {
        let scorer = try CLIPScorer(folderOrWeights: Self.folder, batchSize: batch)
        #expect(try scorer.scores(of: pairs) == scores)
        // Now all comes from memory.
        #expect(try scorer.scores(of: pairs.reversed()) == scores.reversed())
        #expect(try scorer.scores(of: [pairs[5]]) == [scores[5]])
        #expect(try scorer.scores(of: []) == [])
      }
    }
  }

  @Test("features on disk give the same scores without decoding a picture")
  func cache() throws {
    try FeatureStoreTests.withFolder { folder in
      let pairs = try Self.pairs(20)
      let first = try CLIPScorer(folderOrWeights: Self.folder, cacheFolder: folder)
      let scores = try first.scores(of: pairs)
      try first.flushCache()
      // While the first one has the files open for writing, this one reads.
      let second = try CLIPScorer(folderOrWeights: Self.folder, cacheFolder: folder)
      #expect(try second.scores(of: pairs) == scores)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.count == 2)
      // The same weights with another activation are another model.
      let trained = try TrainedCLIP.load(Self.folder)
      var configuration = trained.model.configuration
      configuration.quickGELU.toggle()
      let state = Dictionary(
        uniqueKeysWithValues: trained.model.state.map { ($0.name, $0.tensor) })
      let other = TrainedCLIP(
        model: try CLIP(configuration, weights: WeightFile(tensors: state, name: "quick")),
        tokenizer: trained.tokenizer, preprocessing: trained.preprocessing)
      let quick = try CLIPScorer(other, cacheFolder: folder)
      #expect(quick.weightsHash == first.weightsHash)
      #expect(try quick.scores(of: pairs) == CLIPScorer(other).scores(of: pairs))
      #expect(try quick.scores(of: pairs) != scores)
      // A rotted file is told, not used.
      for file in files {
        var bytes = try DurableFile.read("\(folder)/\(file)")
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(file)"))
      }
      #expect(throws: (any Error).self) {
        try CLIPScorer(folderOrWeights: Self.folder, cacheFolder: folder)
      }
    }
  }

  @Test("the first pair that cannot be decoded is named, whichever lane meets it")
  func undecodable() throws {
    var pairs = try Self.pairs(40)
    pairs[33].image = [1, 2, 3]
    pairs[21].image = Array(pairs[21].image.prefix(40))
    for threads in [1, 2] {
      let scorer = try CLIPScorer(folderOrWeights: Self.folder, batchSize: 4)
      let error = try #require(throws: CLIPScorer.UndecodablePair.self) {
        try TensorThreads.within(threads) { try scorer.scores(of: pairs) }
      }
      #expect(error.key == pairs[21].key)
    }
  }

  @Test("bytes decide as Float does: a trained model on 3,000 pairs, and one of random weights")
  func decisions() throws {
    let pairs = try Self.pairs(3000)
    let uids = pairs.map { "uid-\($0.key)" }
    let audit = ScoreAudit()
    let trained = try TrainedCLIP.load(Self.folder)
    let random = TrainedCLIP(
      model: CLIP(trained.model.configuration, seed: 8), tokenizer: trained.tokenizer,
      preprocessing: trained.preprocessing)
    for (model, isTrained) in [(trained, true), (random, false)] {
      let scorer = try CLIPScorer(model, precision: .int8)
      let exact = try scorer.scores(of: pairs)
      let rounded = try scorer.scores(of: pairs, in: .int8)
      let sorted = exact.sorted()
      for cut in [
        .topFraction(0.3), .minScore(sorted[2100]), .topFraction(0.02),
      ] as [ScoreCut] {
        var decision = AuditedCut(
          rounded, ranks: uids.map(audit.rank), keys: pairs.map(\.key), cut: cut, audit: audit)
        while !decision.open.isEmpty {
          decision.take(decision.open.map { exact[$0] })
        }
        let result = decision.result()
        #expect(result.kept == cut.kept(exact, keys: pairs.map(\.key)))
        let report = result.report
        #expect(report.sampled == 256 && report.largestError > 0)
        #expect(report.largestRescoredError <= report.bound)
        // A trained model's scores lie far apart: most are never computed in Float.
        if isTrained { #expect(report.sampled + report.rescored < pairs.count / 2) }
      }
    }
  }

  @Test("a calibration is measured once for a model and machine, and changes no bit")
  func calibration() throws {
    try FeatureStoreTests.withFolder { folder in
      let pairs = try Self.pairs(12)
      let plain = try CLIPScorer(folderOrWeights: Self.folder)
      let scorer = try CLIPScorer(folderOrWeights: Self.folder)
      let found = try scorer.calibrate(seconds: 0.2, folder: folder)
      #expect((1...64).contains(found.batchSize) && found.imagesPerSecond > 0)
      #expect(scorer.batchSize == found.batchSize)
      #expect(try scorer.scores(of: pairs) == plain.scores(of: pairs))
      // Read, not measured: no two measurements have the same rate.
      #expect(try plain.calibrate(seconds: 0.2, folder: folder) == found)
    }
  }

  @Test("the batch doubles while it pays, and threads that share a core are left out")
  func calibrationRule() {
    func calibrated(
      seconds: Double, threads: Int, cost: @escaping (Int, Int) -> Double
    ) -> ScorerCalibration {
      var time = 0.0
      return ScorerCalibration.measure(
        seconds: seconds, threads: threads, largest: 64, now: { time }
      ) { batch, threads in time += cost(batch, threads) }
    }
    // A fixed cost of 0.01 and 0.001 a picture: 16 → 32 still gains 24 %, 64 is the most.
    let wide = calibrated(seconds: 10, threads: 1) { batch, _ in 0.01 + 0.001 * Double(batch) }
    #expect(wide.batchSize == 64 && wide.threads == 1)
    let flat = calibrated(seconds: 10, threads: 1) { batch, _ in 0.1 * Double(batch) }
    #expect(flat.batchSize == 1)
    let short = calibrated(seconds: 0.05, threads: 1) { batch, _ in 0.01 + 0.001 * Double(batch) }
    // 1 to warm up, 1, 2 and 4 take 0.048: the try of 8 begins before 0.05, that of 16 does not.
    #expect(short.batchSize == 8)
    // Eight threads on four cores: each batch takes more than twice as long.
    let shared = calibrated(seconds: 10, threads: 8) { batch, threads in
      0.001 * Double(batch) * (threads > 4 ? 2.2 : 1)
    }
    #expect(shared.threads == 4)
  }
}
