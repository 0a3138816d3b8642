import Autograd
import CLIPModel
import Foundation
import NeuralNetworks
import TensorEngine
import Testing
import WeightFiles

/// LayerScale and OpenAI's ResNet against open_clip: `Fixtures/make_towers.py` made the files.
@Suite("Parity of ResNets and LayerScale with open_clip")
struct TowerParityTests {
  // Features of size 1 to 10, with a few thousand additions in Float between them and torch's.
  @Test("features agree to 1e-4, with and without a graph", arguments: ["scaled", "resnet"])
  func forward(_ name: String) throws {
    let reference = try Reference(name)
    let model = try reference.model()
    let images = try reference.tensor("images")
    let expected = try reference.tensor("image_features")
    let fused = withoutGradient { model.imageFeatures(images) }
    #expect(largestDifference(fused.value, expected) < 1e-4)
    #expect(largestDifference(model.imageFeatures(images).value, expected) < 1e-4)
    let texts = model.textFeatures(try reference.tokens())
    #expect(largestDifference(texts.value, try reference.tensor("text_features")) < 1e-4)
    // A row does not hang on the others: one picture alone has the same features.
    let alone = withoutGradient { model.imageFeatures(images.slice(axis: 0, 1..<2)) }
    #expect(largestDifference(alone.value, expected.slice(axis: 0, 1..<2)) < 1e-4)
  }

  @Test(
    "a training step has torch's features, loss, gradients and running statistics",
    arguments: ["scaled", "resnet"])
  func training(_ name: String) throws {
    let reference = try Reference(name)
    let model = try reference.model()
    try withBatchStatistics {
      let images = model.imageFeatures(try reference.tensor("images"))
      #expect(largestDifference(images.value, try reference.tensor("trained_features")) < 1e-4)
      let loss = contrastiveLoss(model, images, model.textFeatures(try reference.tokens()))
      #expect(largestDifference(loss.value, try reference.tensor("loss")) < 1e-4)
      loss.backward()
    }
    var compared = 0
    for (name, variable) in model.parameters {
      let gradient = try #require(variable.gradient, "\(name)")
      guard let expected = reference.tensors["gradient." + name] else { continue }
      compared += 1
      if name.hasSuffix("k_proj.bias") {
        // A softmax does not see what all keys have in common: 0 but for rounding.
        #expect(gradient.norm() < 1e-6)
        continue
      }
      // Some 1e-5 where each of 16 layers divides by a deviation. The pictures are such that no
      // ReLU stands so near 0 that rounding turns it over, which would show as 1e-3.
      #expect(relativeDistance(gradient, expected) < 1e-4, "\(name)")
    }
    let gradients = reference.tensors.keys.filter { $0.hasPrefix("gradient.") }
    #expect(compared == gradients.count && compared > 20)
    for (name, buffer) in model.buffers {
      let expected = try reference.tensor("running." + name)
      #expect(largestDifference(buffer.value, expected) < 1e-5, "\(name)")
    }
    #expect(model.buffers.isEmpty == (name == "scaled"))
  }

  @Test("running statistics go out with the weights and come in again")
  func buffers() throws {
    let reference = try Reference("resnet")
    let model = try reference.model()
    var file = WeightFile(tensors: [:], name: "again")
    for (name, tensor) in model.state { file.tensors[name] = tensor }
    #expect(file.tensors["visual.layer2.0.downsample.1.running_var"] != nil)
    let again = try CLIP(reference.configuration, weights: file)
    let images = try reference.tensor("images")
    #expect(
      again.imageFeatures(images).value.values == model.imageFeatures(images).value.values)
    file.tensors["visual.bn2.running_mean"] = nil
    #expect(throws: CLIPError.self) { try CLIP(reference.configuration, weights: file) }
  }
}
