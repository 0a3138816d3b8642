import Autograd
import CLIPModel
import Foundation
import NeuralNetworks
import TensorEngine
import Testing
import WeightFiles

func fixturePath(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + name
}

/// What `make_fixtures.py` wrote: a model, a batch, and what open_clip makes of them.
struct Reference {
  var configuration: CLIPConfiguration
  var tensors: [String: Tensor]
  var weights: WeightFile

  init(_ name: String) throws {
    configuration = try CLIPConfiguration.read(fixturePath("\(name).json"))
    let file = try SafeTensors.read(fixturePath("\(name).safetensors"))
    tensors = file.tensors
    weights = WeightFile(tensors: [:], name: name)
    for (key, tensor) in file.tensors where key.hasPrefix("weight.") {
      weights.tensors[String(key.dropFirst("weight.".count))] = tensor
    }
  }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  func model() throws -> CLIP { try CLIP(configuration, weights: weights) }

  /// The captions as rows of the padded table, their padding included.
  func tokens() throws -> [[Int32]] {
    let table = try tensor("tokens")
    return (0..<table.shape[0]).map { row in
      table.values[(row * table.shape[1])..<((row + 1) * table.shape[1])].map { Int32($0) }
    }
  }
}

func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  a.shape == b.shape ? zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// ‖a − b‖ / ‖b‖.
func relativeDistance(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  let distance = zip(a.values, b.values).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
  let length = b.values.reduce(0.0) { $0 + pow(Double($1), 2) }
  return distance == 0 ? 0 : (distance / length).squareRoot()
}

/// The symmetric cross-entropy of CLIP, composed of operations.
func contrastiveLoss(_ model: CLIP, _ images: Variable, _ texts: Variable) -> Variable {
  let logits =
    matmul(images.l2Normalized(), texts.l2Normalized(), transposeB: true) * model.logitScale.exp()
  let diagonal = (0..<Int32(logits.shape[0])).map { $0 }
  return (crossEntropy(logits, diagonal) + crossEntropy(logits.transposed(), diagonal))
    .scaled(by: 0.5)
}

@Suite("Parity with open_clip")
struct ParityTests {
  // The features are of size 1 to 10; a few thousand additions in Float stand between them and torch's.
  @Test("features agree to 1e-4", arguments: ["plain", "quick"])
  func forward(_ name: String) throws {
    let reference = try Reference(name)
    let model = try reference.model()
    let images = model.imageFeatures(try reference.tensor("images"))
    let texts = model.textFeatures(try reference.tokens())
    #expect(largestDifference(images.value, try reference.tensor("image_features")) < 1e-4)
    #expect(largestDifference(texts.value, try reference.tensor("text_features")) < 1e-4)
  }

  @Test("loss agrees to 1e-4, every gradient to 1e-3 of its length", arguments: ["plain", "quick"])
  func gradients(_ name: String) throws {
    let reference = try Reference(name)
    let model = try reference.model()
    let loss = contrastiveLoss(
      model, model.imageFeatures(try reference.tensor("images")),
      model.textFeatures(try reference.tokens()))
    #expect(largestDifference(loss.value, try reference.tensor("loss")) < 1e-4)
    loss.backward()
    var worst = 0.0
    for (name, variable) in model.parameters {
      let gradient = try #require(variable.gradient, "\(name)")
      let distance = relativeDistance(gradient, try reference.tensor("gradient.\(name)"))
      #expect(distance < 1e-3, "\(name)")
      worst = max(worst, distance)
    }
    #expect(worst > 0, "the gradients are computed, not copied")
    #expect(model.parameters.count == reference.weights.tensors.count)
  }

  @Test("the images' own gradient agrees with differences of the loss")
  func imageGradient() throws {
    let reference = try Reference("plain")
    let model = try reference.model()
    let images = Variable(try reference.tensor("images"), requiresGradient: true)
    let texts = model.textFeatures(try reference.tokens()).detached()
    contrastiveLoss(model, model.imageFeatures(images), texts).backward()
    let gradient = try #require(images.gradient)

    // Along the gradient itself, where the difference is largest; Float allows no finer step.
    let length = gradient.values.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
    let step = 0.02
    func loss(_ sign: Double) -> Double {
      let moved = zip(images.value.values, gradient.values).map {
        $0 + Float(sign * step / length) * $1
      }
      return withoutGradient {
        Double(
          contrastiveLoss(
            model, model.imageFeatures(Tensor(shape: images.shape, moved)), texts
          ).value.scalar)
      }
    }
    let slope = (loss(1) - loss(-1)) / (2 * step)
    #expect(abs(slope - length) / length < 1e-2)
  }

  @Test("ids behind the first end token change nothing")
  func padding() throws {
    let reference = try Reference("plain")
    let model = try reference.model()
    let end = Int32(reference.configuration.text.vocabularySize - 1)
    let cut = try reference.tokens().map { row in
      Array(row[...(try #require(row.firstIndex(of: end)))])
    }
    let features = model.textFeatures(cut)
    #expect(largestDifference(features.value, try reference.tensor("text_features")) < 1e-4)
    // Packed with others or alone: the same numbers.
    for (row, caption) in cut.enumerated() {
      let alone = model.textFeatures([caption]).value
      let width = reference.configuration.embedDim
      let packed = Array(features.value.values[(row * width)..<((row + 1) * width)])
      #expect(largestDifference(alone, Tensor(shape: [1, width], packed)) < 1e-5)
    }
  }
}
