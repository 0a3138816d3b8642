import CLIPTraining
import TensorEngine
import Testing

@Suite struct EvaluationTests {
  /// Rows of the identity: similarity 1 with themselves and 0 with the others.
  static func identity(_ order: [Int], width: Int) -> Tensor {
    Tensor(
      shape: [order.count, width], order.flatMap { hot in (0..<width).map { $0 == hot ? 1 : 0 } })
  }

  @Test("ranks are counted by hand: hits, misses, several captions")
  func retrieval() {
    // Image 0 owns texts 0 and 1; text 1 and text 3 point elsewhere.
    let images = Self.identity([0, 1, 2], width: 3)
    let texts = Tensor(shape: [4, 3], [1, 0, 0, 0.5, 0.9, 0.1, 0, 1, 0, 0.8, 0.6, 0.5])
    let result = Retrieval(images: images, texts: texts, imageOfText: [0, 0, 1, 2])
    // Text 1: image 1 is better (2); text 3: images 0 and 1 are better (3).
    #expect(result.textToImage.meanRank == (1 + 2 + 1 + 3) / 4.0)
    #expect(result.textToImage.medianRank == 1.5)
    #expect(result.textToImage.recallAt1 == 0.5)
    #expect(result.textToImage.recallAt5 == 1)
    // Image 0 by its better caption: 1. Image 1: text 2 scores 1, text 1 only 0.9: 1. Image 2: 1.
    #expect(result.imageToText.meanRank == 1)
    #expect(result.imageToText.queries == 3)
    #expect(result.imageToText.chance[0] == 0.25)
  }

  @Test("a model that gives everything one score lands in the middle, not in front")
  func ties() {
    let same = Tensor(shape: [21, 2], repeating: 0.5)
    let result = Retrieval(images: same, texts: same, imageOfText: Array(0..<21))
    #expect(result.imageToText.meanRank == 11)
    #expect(result.textToImage.recallAt10 == 0)
    let zeroShot = ZeroShot(
      images: same, classVectors: Tensor(shape: [12, 2], repeating: 0.5),
      labels: [Int](repeating: 0, count: 21))
    #expect(zeroShot.top1 == 0 && zeroShot.top5 == 0)
  }

  @Test("zero-shot counts the right class among the first and the first five")
  func zeroShot() {
    let classes = Self.identity(Array(0..<7), width: 7)
    // The last image is nearest to class 6, and its own class 0 comes second.
    let images = Tensor(
      shape: [3, 7],
      [1, 0, 0, 0, 0, 0, 0] + [0, 1, 0, 0, 0, 0, 0] + [0.5, 0, 0, 0, 0, 0, 0.6])
    let result = ZeroShot(images: images, classVectors: classes, labels: [0, 1, 0])
    #expect(result.top1 == 2.0 / 3)
    #expect(result.top5 == 1)
  }

  @Test("a class vector is the normalised mean of its prompts")
  func classVector() {
    let vector = ZeroShot.classVector(of: Tensor(shape: [2, 2], [1, 0, 0, 1]))
    #expect(vector.allSatisfy { abs($0 - Float(0.5).squareRoot()) < 1e-7 })
  }

  @Test("both decay rules name CLIP's parameters as open_clip's expressions do")
  func decay() {
    let names: [(String, [Int], v3: Bool, main: Bool)] = [
      ("visual.conv1.weight", [8, 3, 4, 4], true, true),
      ("visual.class_embedding", [8], false, false),
      ("visual.positional_embedding", [5, 8], true, false),
      ("positional_embedding", [77, 8], true, false),
      ("token_embedding.weight", [99, 8], true, true),
      ("visual.ln_pre.weight", [8], false, false),
      ("transformer.resblocks.0.ln_1.bias", [8], false, false),
      ("transformer.resblocks.0.attn.in_proj_weight", [24, 8], true, true),
      ("transformer.resblocks.0.attn.in_proj_bias", [24], false, false),
      ("transformer.resblocks.0.mlp.c_fc.weight", [32, 8], true, true),
      ("visual.proj", [8, 4], true, true), ("logit_scale", [], false, false),
    ]
    for (name, shape, v3, main) in names {
      #expect(WeightDecayRule.openClip3.decays(name, shape) == v3, "\(name)")
      #expect(WeightDecayRule.openClipMain.decays(name, shape) == main, "\(name)")
    }
  }
}
