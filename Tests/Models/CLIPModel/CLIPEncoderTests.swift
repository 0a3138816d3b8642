import Autograd
import CLIPModel
import SeededRandom
import TensorEngine
import Testing

/// The encoder against the classes that are trained.
///
/// Serialised: the instructions are those of the whole process.
@Suite(.serialized) struct CLIPEncoderTests {
  // Widths that fill no panel, a picture with pixels left over, a head width that is no power of two.
  static let configurations = [
    CLIPConfiguration(
      embedDim: 40,
      vision: .init(imageSize: 35, layers: 3, width: 160, patchSize: 8, headWidth: 80),
      text: .init(contextLength: 16, vocabularySize: 600, width: 120, heads: 4, layers: 2)),
    CLIPConfiguration(
      embedDim: 64,
      vision: .init(imageSize: 32, layers: 1, width: 128, patchSize: 16, headWidth: 64),
      text: .init(contextLength: 9, vocabularySize: 50, width: 64, heads: 2, layers: 1),
      quickGELU: true),
  ]

  static func inputs(
    _ configuration: CLIPConfiguration, count: Int
  ) -> (images: Tensor, tokens: [[Int32]]) {
    var random = RandomStream(seed: 3)
    let side = configuration.vision.imageSize
    let images = Tensor(
      shape: [count, 3, side, side],
      (0..<count * 3 * side * side).map { _ in Float(random.normal()) })
    let end = Int32(configuration.text.vocabularySize - 1)
    let tokens = (0..<count).map { index -> [Int32] in
      let length = index % (configuration.text.contextLength - 1)
      let words = (0..<length).map { _ in
        Int32(random.integer(below: configuration.text.vocabularySize - 2))
      }
      // What stands behind the end token is not looked at.
      return words + [end] + (length.isMultiple(of: 3) ? [7] : [])
    }
    return (images, tokens)
  }

  static func farthest(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.values, b.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  @Test("features equal those of the model that is trained", arguments: configurations)
  func features(configuration: CLIPConfiguration) {
    let model = CLIP(configuration, seed: 4)
    let (images, tokens) = Self.inputs(configuration, count: 9)
    let (image, text) = withoutGradient {
      (
        model.imageFeatures(images).l2Normalized().value,
        model.textFeatures(tokens).l2Normalized().value
      )
    }
    let encoder = CLIPEncoder(model)
    // Of unit rows; the contract with open_clip is 1e-4, and twelve layers in Float stay below 1e-5.
    #expect(Self.farthest(encoder.imageFeatures(images), image) < 1e-5)
    #expect(Self.farthest(encoder.textFeatures(tokens), text) < 1e-5)
    let bytes = CLIPEncoder(model, precision: .int8)
    // Two roundings of half a step in 127 a product, some ten products.
    #expect(Self.farthest(bytes.imageFeatures(images), image) < 0.05)
    #expect(Self.farthest(bytes.textFeatures(tokens), text) < 0.05)
    #expect(Self.farthest(bytes.textFeatures(tokens), text) > 0)
  }

  @Test(
    "features of length one, and their cosines, equal open_clip's of every kind of tower",
    arguments: ["plain", "quick", "scaled", "resnet"])
  func openCLIP(_ name: String) throws {
    let reference = try Reference(name)
    let encoder = CLIPEncoder(try reference.model())
    let images = encoder.imageFeatures(try reference.tensor("images"))
    let texts = encoder.textFeatures(try reference.tokens())
    let expected = (
      images: try reference.tensor("image_features").l2Normalized().value,
      texts: try reference.tensor("text_features").l2Normalized().value
    )
    // The contract is 1e-4 for features and 1e-5 for scores; these towers are shallow.
    #expect(Self.farthest(images, expected.images) < 1e-5)
    #expect(Self.farthest(texts, expected.texts) < 1e-5)
    let scores = Tensor.matmul(images, texts, transposeB: true)
    let expectedScores = Tensor.matmul(expected.images, expected.texts, transposeB: true)
    #expect(Self.farthest(scores, expectedScores) < 1e-5)
    #expect(scores.shape == expectedScores.shape)
  }

  @Test(
    "a feature has the same bits in any batch and with any number of threads",
    arguments: ProductPrecision.allCases)
  func batches(precision: ProductPrecision) {
    let configuration = Self.configurations[0]
    let encoder = CLIPEncoder(CLIP(configuration, seed: 5), precision: precision)
    #expect(encoder.isExactInAnyBatch)
    let (images, tokens) = Self.inputs(configuration, count: 11)
    let (image, text) = (encoder.imageFeatures(images), encoder.textFeatures(tokens))
    for threads in [1, 2, 3] {
      TensorThreads.within(threads) {
        for range in [0..<1, 3..<11, 10..<11] {
          #expect(
            encoder.imageFeatures(images.slice(axis: 0, range)).values
              == image.slice(axis: 0, range).values)
          #expect(
            encoder.textFeatures(Array(tokens[range])).values
              == text.slice(axis: 0, range).values)
        }
      }
    }
    #expect(encoder.textFeatures([]).shape == [0, 40])
  }

  @Test("old and new processors compute the same bits", arguments: ProductPrecision.allCases)
  func processors(precision: ProductPrecision) {
    let configuration = Self.configurations[0]
    let model = CLIP(configuration, seed: 6)
    let (images, tokens) = Self.inputs(configuration, count: 3)
    defer { VectorInstructions.limit(to: .vnni) }
    var seen: Set<[Float]> = []
    for best in VectorInstructions.allCases where best <= VectorInstructions.available {
      VectorInstructions.limit(to: best)
      let encoder = CLIPEncoder(model, precision: precision)
      seen.insert(encoder.imageFeatures(images).values + encoder.textFeatures(tokens).values)
    }
    #expect(seen.count == 1)
  }
}
