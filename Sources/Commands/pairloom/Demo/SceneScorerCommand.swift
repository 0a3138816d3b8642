import ArgumentParser
import ContentHashing
import DurableFiles
import FoundationEssentials
import ImageCodec
import PairDataset
import SceneWorld

/// `pairloom scene-scorer`: makes the demo's bundled scorer anew (`make scorer`).
struct SceneScorerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scene-scorer",
    abstract: "Train the demo's bundled scorer on scenes that the demo never serves.",
    shouldDisplay: false)

  @Option(help: "The training manifest.")
  var manifest: String

  @Option(help: "Where scenes, checkpoints and weights are put; it resumes there.")
  var work: String

  @Option(help: "The folder whose scorer/ is replaced.")
  var out: String

  @Option(help: "Pairs to train on.")
  var pairs: Int = 24_000

  /// Far from the demo's own seeds, so that it never sees a picture that it was taught.
  private static let seed: UInt64 = 0x5C0_2E2

  func run() async throws {
    let data = work + "/data"
    if !DurableFile.exists(data + "/dataset.json") { try writeScenes(to: data) }
    let model = work + "/model"
    try await TrainCommand.train(
      manifest, folder: model, settings: ["data=\(data)/dataset.json"])
    try DurableFile.makeFolder(out + "/scorer")
    for file in ["model.safetensors", "model.json", "tokenizer.merges"] {
      try DurableFile.write(DurableFile.read("\(model)/\(file)"), to: "\(out)/scorer/\(file)")
    }
    let size = try DurableFile.size(of: out + "/scorer/model.safetensors")
    Terminal.print("\(out)/scorer: \(size) bytes of weights")
  }

  /// Pairs of fresh scenes with true captions, encoded as the demo's web encodes them.
  private func writeScenes(to folder: String) throws {
    try DurableFile.makeFolder(folder)
    let perShard = 4_000
    var shards: [ShardSummary] = []
    for start in stride(from: 0, to: pairs, by: perShard) {
      let digits = String(start / perShard)
      let name = String(repeating: "0", count: 5 - digits.count) + digits
      let writer = try ShardWriter(folder: folder, name: name, compression: .none)
      for index in start..<min(start + perShard, pairs) {
        let scene = SceneWorld.scene(seed: Self.seed, index: index)
        let picture = SceneWorld.render(scene, variation: Self.seed &+ UInt64(index))
        let caption = scene.captions[index % scene.captions.count]
        let jpeg = try ImageEncoder.jpeg(picture, quality: 95)
        let key = ContentHash.hex(Array(ContentHash.sha256(jpeg + Array(caption.utf8)).prefix(16)))
        try writer.append(
          Pair(
            key: key, caption: caption, image: jpeg, imageExtension: "jpg",
            metadata: Array("{\"uid\":\"\(key)\"}".utf8)))
      }
      shards.append(try writer.finish())
      Terminal.note("\(start + perShard) of \(pairs) scenes")
    }
    try DatasetManifest(
      shards: shards, recipeSHA256: "",
      funnel: [.init(stage: "kept", pairs: pairs)]
    ).write(to: folder + "/dataset.json")
  }
}
