import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine

/// OpenAI's ResNet: a stem of three convolutions, average pools before strides, attention as the last pool.
///
/// Pictures pass through it channels last. Letters: B images, S their side, W the width of the stem,
/// F = 32·W features, D the width of the common space. Source: Radford et al. 2021
/// (arXiv:2103.00020), section 2.4, as in open_clip's `modified_resnet.py`.
final class ModifiedResNet: Module {
  private let configuration: CLIPConfiguration.Vision
  private let stem: [(convolution: Conv2d, norm: BatchNorm2d)]
  private let stages: [[ResNetBottleneck]]
  private let attentionPool: AttentionPool

  /// open_clip's initialisation: the last norm of each block 0, torch's defaults else.
  init(_ configuration: CLIPConfiguration.Vision, embedDim: Int, random: inout RandomStream) {
    self.configuration = configuration
    let width = configuration.width
    var stem: [(convolution: Conv2d, norm: BatchNorm2d)] = []
    for (inputs, outputs, stride) in [
      (3, width / 2, 2), (width / 2, width / 2, 1), (width / 2, width, 1),
    ] {
      let convolution = Conv2d(
        inputs, outputs, side: 3, stride: stride, padding: 1, bias: false, random: &random)
      stem.append((convolution, BatchNorm2d(outputs)))
    }
    self.stem = stem
    var stages: [[ResNetBottleneck]] = []
    var inputs = width
    for (index, count) in configuration.stages.enumerated() {
      var blocks: [ResNetBottleneck] = []
      for block in 0..<count {
        blocks.append(
          ResNetBottleneck(
            inputs, width << index, stride: block == 0 && index > 0 ? 2 : 1, random: &random))
        inputs = 4 * (width << index)
      }
      stages.append(blocks)
    }
    self.stages = stages
    attentionPool = AttentionPool(
      side: configuration.gridSize, width: inputs, heads: configuration.heads, outputs: embedDim,
      random: &random)
  }

  /// - Parameter images: `[B, 3, S, S]`.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Variable) -> Variable {
    let side = configuration.imageSize
    precondition(
      images.shape == [images.shape.first ?? 0, 3, side, side],
      "CLIP: images \(images.shape), wanted [B, 3, \(side), \(side)]")
    var x = images.transposed([0, 2, 3, 1])
    for (convolution, norm) in stem { x = convolution(x, norm, relu: true) }
    x = averagePool2d(x, 2)
    for block in stages.joined() { x = block(x) }
    return attentionPool(x)
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    for (index, part) in stem.enumerated() {
      part.convolution.visitParameters(prefix: prefix + "conv\(index + 1).", visit)
      part.norm.visitParameters(prefix: prefix + "bn\(index + 1).", visit)
    }
    eachBlock(prefix) { $0.visitParameters(prefix: $1, visit) }
    attentionPool.visitParameters(prefix: prefix + "attnpool.", visit)
  }

  func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    for (index, part) in stem.enumerated() {
      part.norm.visitBuffers(prefix: prefix + "bn\(index + 1).", visit)
    }
    eachBlock(prefix) { $0.visitBuffers(prefix: $1, visit) }
  }

  private func eachBlock(_ prefix: String, _ body: (ResNetBottleneck, String) -> Void) {
    for (stage, blocks) in stages.enumerated() {
      for (index, block) in blocks.enumerated() {
        body(block, prefix + "layer\(stage + 1).\(index).")
      }
    }
  }
}

/// Convolutions of 1, 3 and 1 pixels beside a short cut; a stride is an average pool in both.
final class ResNetBottleneck: Module {
  private let parts: [(convolution: Conv2d, norm: BatchNorm2d)]
  private let downsample: (convolution: Conv2d, norm: BatchNorm2d)?
  private let stride: Int

  init(_ inputs: Int, _ planes: Int, stride: Int, random: inout RandomStream) {
    self.stride = stride
    let first = Conv2d(inputs, planes, side: 1, bias: false, random: &random)
    let second = Conv2d(planes, planes, side: 3, padding: 1, bias: false, random: &random)
    let third = Conv2d(planes, 4 * planes, side: 1, bias: false, random: &random)
    let lastNorm = BatchNorm2d(4 * planes)
    lastNorm.weight.value = Tensor(shape: [4 * planes])
    parts = [(first, BatchNorm2d(planes)), (second, BatchNorm2d(planes)), (third, lastNorm)]
    downsample =
      stride > 1 || inputs != 4 * planes
      ? (
        Conv2d(inputs, 4 * planes, side: 1, bias: false, random: &random),
        BatchNorm2d(4 * planes)
      ) : nil
  }

  func callAsFunction(_ x: Variable) -> Variable {
    func pooled(_ x: Variable) -> Variable { stride > 1 ? averagePool2d(x, stride) : x }
    let shortCut = downsample.map { $0.convolution(pooled(x), $0.norm, relu: false) } ?? x
    let inner = parts[0].convolution(x, parts[0].norm, relu: true)
    let seen = pooled(parts[1].convolution(inner, parts[1].norm, relu: true))
    return parts[2].convolution(seen, parts[2].norm, residual: shortCut, relu: true)
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    for (index, part) in parts.enumerated() {
      part.convolution.visitParameters(prefix: prefix + "conv\(index + 1).", visit)
      part.norm.visitParameters(prefix: prefix + "bn\(index + 1).", visit)
    }
    downsample?.convolution.visitParameters(prefix: prefix + "downsample.0.", visit)
    downsample?.norm.visitParameters(prefix: prefix + "downsample.1.", visit)
  }

  func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    for (index, part) in parts.enumerated() {
      part.norm.visitBuffers(prefix: prefix + "bn\(index + 1).", visit)
    }
    downsample?.norm.visitBuffers(prefix: prefix + "downsample.1.", visit)
  }
}
