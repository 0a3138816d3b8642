import CLIPTraining
import Checkpointing
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import RankThreads
import TensorEngine
import Testing

/// 64 pairs: a square of one of eight colours in one of eight places, and its description.
struct ColouredSquares {
  let folder = NSTemporaryDirectory() + "squares-" + UUID().uuidString
  var dataset: String { folder + "/dataset.json" }

  static let colours: [(name: String, rgb: [UInt8])] = [
    ("red", [220, 30, 30]), ("green", [30, 200, 40]), ("blue", [40, 50, 230]),
    ("yellow", [230, 220, 30]), ("white", [250, 250, 250]), ("black", [5, 5, 5]),
    ("pink", [240, 130, 190]), ("cyan", [30, 210, 220]),
  ]
  static let places = [
    "top left", "top", "top right", "left", "right", "bottom left", "bottom", "bottom right",
  ]

  static func pair(_ index: Int) throws -> Pair {
    let (colour, place) = (colours[index / 8], index % 8)
    let cell = place < 4 ? place : place + 1
    var pixels = [UInt8](repeating: 128, count: 24 * 24 * 3)
    for y in (cell / 3 * 8)..<(cell / 3 * 8 + 8) {
      for x in (cell % 3 * 8)..<(cell % 3 * 8 + 8) {
        for channel in 0..<3 { pixels[(y * 24 + x) * 3 + channel] = colour.rgb[channel] }
      }
    }
    return Pair(
      key: "s\(index)", caption: "a \(colour.name) square at the \(places[place])",
      image: try ImageEncoder.png(RGBImage(width: 24, height: 24, pixels: pixels)),
      imageExtension: "png", metadata: Array("{}".utf8))
  }

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let writer = try ShardWriter(folder: folder, name: "00000", compression: .lz4)
    for index in 0..<64 { try writer.append(try Self.pair(index)) }
    try DatasetManifest(shards: [try writer.finish()], recipeSHA256: "", funnel: []).write(
      to: dataset)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  func manifest(_ overrides: [String] = []) throws -> TrainingManifest {
    try TrainingManifest.parse(
      Self.manifestText(data: dataset), name: "squares", overrides: overrides)
  }

  static func manifestText(data: String) -> String {
    """
    data: \(data)
    model:
      embed_dim: 32
      vision_cfg: {image_size: 24, patch_size: 8, layers: 2, width: 64, head_width: 32}
      text_cfg: {context_length: 16, vocab_size: 600, width: 64, heads: 2, layers: 2}
    tokenizer: {train_vocabulary: 600}
    seed: 3
    threads: 1
    global_batch: 64
    steps: 20
    optimizer: {learning_rate: 2.0e-3, warmup_steps: 5, clip_norm: 1.0}
    log_every: 1
    """
  }
}

@Suite(.serialized) struct CLIPTrainingRunTests {
  struct Run: Sendable {
    var outcomes: [TrainingOutcome]
    var losses: [Float]
    var parameters: String
  }

  static func train(
    _ manifest: TrainingManifest, in folder: String, world: Int = 1, stopAfter: Int? = nil
  ) throws -> Run {
    let results = try Ranks.run(world) { group in
      var losses: [Float] = []
      let stop = StopFlag()
      let outcome = try CLIPTrainingRun.run(
        manifest: manifest, folder: folder, group: group, stop: stop
      ) { metrics in
        losses.append(metrics.loss)
        if metrics.step == stopAfter { stop.raise() }
      }
      return (outcome, losses)
    }.map { try $0.get() }
    let saved = try CheckpointStore(folder: folder + "/checkpoints").latest().checkpoint
    return Run(
      outcomes: results.map(\.0), losses: results[0].1,
      parameters: Checkpoint.hash(of: try #require(saved).parameters))
  }

  @Test("one rank of 64 and two of 32 have the same losses for 20 steps to 1e-4")
  func worlds() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let one = try Self.train(try data.manifest(), in: data.folder + "/one")
    let two = try Self.train(try data.manifest(), in: data.folder + "/two", world: 2)
    #expect(one.losses.count == 20)
    for (a, b) in zip(one.losses, two.losses) { #expect(abs(a - b) < 1e-4) }
    // Uneven shares are exact as well.
    let three = try Self.train(try data.manifest(), in: data.folder + "/three", world: 3)
    for (a, b) in zip(one.losses, three.losses) { #expect(abs(a - b) < 1e-4) }
  }

  @Test(
    "a stopped and resumed run has the parameters of an uninterrupted one, bit for bit",
    arguments: [1, 2])
  func resume(world: Int) throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    // 48 of 64: batches cross the ends of epochs; crops are drawn.
    let manifest = try data.manifest(["global_batch=48", "augmentation.scale=[0.7,1.0]"])
    let whole = try Self.train(manifest, in: data.folder + "/whole", world: world)
    let first = try Self.train(manifest, in: data.folder + "/parts", world: world, stopAfter: 7)
    #expect(first.outcomes.allSatisfy { $0.wasStopped && $0.step == 8 })
    let second = try Self.train(manifest, in: data.folder + "/parts", world: world)
    #expect(second.outcomes.allSatisfy { $0.resumedFrom == 8 && $0.step == 20 })
    #expect(second.parameters == whole.parameters)
    #expect(first.losses + second.losses == whole.losses)
  }

  @Test("a folder of another data set, rate, crop or seed is refused and stays as it was")
  func fingerprint() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let settings = ["steps=2", "optimizer.warmup_steps=1"]
    let out = data.folder + "/out"
    _ = try Self.train(try data.manifest(settings), in: out)
    let files = ["/manifest.yaml", "/model.safetensors", "/metrics.jsonl"]
    let before = try files.map { try DurableFile.read(out + $0) }
    func refuses(_ other: TrainingManifest, _ change: String) throws {
      let error = #expect(throws: CheckpointError.self) {
        try CLIPTrainingRun.run(manifest: other, folder: out, group: .alone)
      }
      guard case .otherConfiguration(let difference) = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(difference.contains("\n  \(change)"), "\(difference)")
      #expect(try files.map { try DurableFile.read(out + $0) } == before)
    }
    for (setting, change) in [
      ("optimizer.learning_rate=1.0e-3", "optimizer.learning_rate: 0.002 → 0.001"),
      ("augmentation.scale=[0.8,1.0]", "augmentation.scale: none → [0.8, 1.0]"),
      ("seed=4", "seed: 3 → 4"), ("global_batch=32", "global_batch: 64 → 32"),
      ("model.vision_cfg.width=32", "model.vision_cfg.width: 64 → 32"),
      (
        "optimizer.decay_rule=open_clip_main",
        "optimizer.decay_rule: open_clip_3 → open_clip_main"
      ),
    ] {
      try refuses(try data.manifest(settings + [setting]), change)
    }
    let dataset = try DatasetManifest.read(data.dataset)
    try DatasetManifest(shards: dataset.shards, recipeSHA256: "another", funnel: [])
      .write(to: data.dataset)
    try refuses(try data.manifest(settings), "data (SHA-256): ")
    try dataset.write(to: data.dataset)
    // What does not decide the numbers may change.
    let outcome = try CLIPTrainingRun.run(
      manifest: try data.manifest(settings + ["log_every=2", "image_cache_mb=0"]), folder: out,
      group: .alone)
    #expect(outcome.resumedFrom == 2)
  }

  @Test("training tells 64 pairs apart, and the folder scores them so")
  func learns() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let out = data.folder + "/out"
    let run = try Self.train(
      try data.manifest([
        "steps=150", "optimizer.learning_rate=1.0e-3", "optimizer.warmup_steps=10",
      ]), in: out, world: 2)
    // ln 64 = 4.16 knows nothing; 0.5 means that most of 64 are told apart.
    #expect(try #require(run.losses.first) > 3.5)
    #expect(try #require(run.losses.last) < 0.5)
    let scorer = try CLIPScorer(folderOrWeights: out)
    let pairs = try (0..<64).map { try ColouredSquares.pair($0) }
    let matched = try scorer.scores(of: pairs)
    let crossed = try scorer.scores(
      of: pairs.indices.map { index in
        var pair = pairs[index]
        pair.caption = pairs[(index + 27) % 64].caption
        return pair
      })
    #expect(zip(matched, crossed).allSatisfy { $0 > $1 })
    let trained = try TrainedCLIP.load(out)
    let retrieval = Retrieval(
      images: trained.imageFeatures(try pairs.map { try ImageDecoder.decode($0.image) }),
      texts: trained.textFeatures(pairs.map(\.caption)), imageOfText: Array(0..<64))
    #expect(retrieval.imageToText.recallAt5 > 0.9)
  }
}
