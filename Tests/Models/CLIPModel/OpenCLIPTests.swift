import Autograd
import CLIPModel
import Foundation
import NeuralNetworks
import TensorEngine
import TestTools
import Testing
import WeightFiles

@Suite("Against open_clip itself", .serialized, .peers("open_clip"))
struct OpenCLIPTests {
  @Test(
    "our table and reader know every plain CLIP of open_clip alike, and refuse the others by name")
  func configurations() async throws {
    let printed = try await OpenCLIP.run(["--configurations"])
    let listed = try JSONSerialization.jsonObject(with: Data(printed))
    let all = try #require(listed as? [String: [String: Any]])
    var plain = 0
    for (name, json) in all.sorted(by: { $0.key < $1.key }) {
      let bytes = try JSONSerialization.data(withJSONObject: json)
      if isPlain(json) {
        plain += 1
        let read = try JSONDecoder().decode(CLIPConfiguration.self, from: bytes)
        #expect(CLIPConfiguration.named(name) == read, "\(name)")
        let again = try JSONDecoder().decode(
          CLIPConfiguration.self, from: JSONEncoder().encode(read))
        #expect(again == read, "\(name)")
      } else {
        #expect(CLIPConfiguration.named(name) == nil, "\(name)")
        #expect(throws: (any Error).self, "\(name)") {
          try JSONDecoder().decode(CLIPConfiguration.self, from: bytes)
        }
      }
    }
    #expect(plain >= CLIPConfiguration.names.count)
    for name in CLIPConfiguration.names { #expect(all[name] != nil, "\(name)") }
  }

  /// Whether a configuration has only what CLIP's paper has: sizes, LayerScale and an activation.
  private func isPlain(_ json: [String: Any]) -> Bool {
    let vision = json["vision_cfg"] as? [String: Any] ?? [:]
    let text = json["text_cfg"] as? [String: Any] ?? [:]
    let sizes: Set = [
      "image_size", "layers", "width", "patch_size", "head_width", "mlp_ratio", "ls_init_value",
      "context_length", "vocab_size", "heads",
    ]
    return Set(json.keys).isSubset(of: ["embed_dim", "vision_cfg", "text_cfg", "quick_gelu"])
      && Set(vision.keys).isSubset(of: sizes) && Set(text.keys).isSubset(of: sizes)
  }

  @Test(
    "features agree to 1e-4 and scores to 1e-5",
    arguments: ["ViT-S-32-alt", "ViT-B-32", "ViT-B-16", "RN50", "ViT-M-16-alt"])
  func features(_ name: String) async throws {
    try await withModel(name) { model, batch, _ in
      TensorThreads.set(2)
      defer { TensorThreads.set(1) }
      let tokens = try #require(batch["tokens"])
      let captions = (0..<tokens.shape[0]).map { row in
        tokens.slice(axis: 0, row..<row + 1).values.map { Int32($0) }
      }
      let (images, texts) = try withoutGradient {
        (
          model.imageFeatures(try #require(batch["images"])).value,
          model.textFeatures(captions).value
        )
      }
      // What rounds differently: sums of some thousand products per layer, through 12 to 50 layers.
      let imageDifference = largestDifference(images, try #require(batch["image_features"]))
      let textDifference = largestDifference(texts, try #require(batch["text_features"]))
      let scores = Tensor.matmul(
        images.l2Normalized().value, texts.l2Normalized().value, transposeB: true)
      let scoreDifference = largestDifference(scores, try #require(batch["scores"]))
      #expect(imageDifference < 1e-4)
      #expect(textDifference < 1e-4)
      #expect(scoreDifference < 1e-5)
      // What scores is the encoder, whose features are of length one.
      let encoder = CLIPEncoder(model)
      let encoded = (
        images: encoder.imageFeatures(try #require(batch["images"])),
        texts: encoder.textFeatures(captions)
      )
      #expect(
        largestDifference(
          encoded.images, try #require(batch["image_features"]).l2Normalized().value) < 1e-4)
      #expect(
        largestDifference(
          encoded.texts, try #require(batch["text_features"]).l2Normalized().value) < 1e-4)
      let encodedScores = Tensor.matmul(encoded.images, encoded.texts, transposeB: true)
      #expect(largestDifference(encodedScores, try #require(batch["scores"])) < 1e-5)
      let largest = (images.values + texts.values).map { abs($0) }.max() ?? 0
      print(
        "\(name): images \(imageDifference), texts \(textDifference), scores \(scoreDifference), "
          + "features up to \(largest)")
    }
  }

  @Test(
    "the image tower's speed against open_clip's is printed",
    .enabled(
      if: ProcessInfo.processInfo.environment["PAIRLOOM_SPEED"] != nil, "set PAIRLOOM_SPEED"),
    arguments: ["RN50", "ViT-B-32"])
  func speed(_ name: String) async throws {
    try await withModel(name) { model, batch, folder in
      TensorThreads.set(2)
      defer { TensorThreads.set(1) }
      let images = try #require(batch["images"]).slice(axis: 0, 0..<1).repeated(16, axis: 0)
      let pixels = images.reshaped([16] + images.shape.dropFirst(2))
      var (ours, theirs): ([Double], [Double]) = ([], [])
      for _ in 0..<3 {
        let printed = try await OpenCLIP.run(["--time", name, folder, "16", "4"])
        theirs += String(decoding: printed, as: UTF8.self).split(separator: "\n")
          .compactMap { Double($0) }
        for round in 0..<5 {
          let start = ContinuousClock.now
          _ = withoutGradient { model.imageFeatures(pixels) }
          let seconds = (ContinuousClock.now - start) / .seconds(1)
          if round > 0 { ours.append(seconds) }
        }
      }
      let (a, b) = (ours.sorted(), theirs.sorted())
      #expect(a.count == 12 && b.count == 12)
      print(
        "\(name), 16 pictures, 2 threads: ours \(a[0]) s at best, \(a[6]) median; open_clip \(b[0]), "
          + "\(b[6]); ratio \(b[0] / a[0]), \(b[6] / a[6])")
    }
  }

  private func withModel(
    _ name: String, _ body: (CLIP, [String: Tensor], String) async throws -> Void
  ) async throws {
    try await ScratchFolder.use { folder in
      _ = try await OpenCLIP.run([name, folder] + (ProjectFolder.sharedData.map { [$0] } ?? []))
      let configuration = try #require(CLIPConfiguration.named(name))
      let model = try CLIP(
        configuration, weights: SafeTensors.read(folder + "/weights.safetensors"))
      try await body(model, SafeTensors.read(folder + "/batch.safetensors").tensors, folder)
    }
  }
}
