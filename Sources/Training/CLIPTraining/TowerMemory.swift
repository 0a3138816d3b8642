import Autograd
import CLIPModel

/// What one tower keeps and needs in a training step, in bytes: the operations' own accounts added up.
struct TowerMemory {
  /// Held from the forward pass until the backward pass has come by.
  var kept = 0
  /// The most that exists beside it.
  var workspace = 0

  /// A transformer or a ResNet over pictures.
  init(image vision: CLIPConfiguration.Vision, pairs: Int, options: ContrastiveOptions) {
    if vision.isResNet {
      addResNet(vision, pairs, options)
      return
    }
    let patches = vision.gridSize * vision.gridSize
    let seen = max(1, Int(Double(patches) * (1 - options.patchDropout)))
    // The cut-out patches are no result of a recorded operation: they stay Floats.
    kept += pairs * seen * 3 * vision.patchSize * vision.patchSize * 4
    addTransformer(
      rows: pairs * (seen + 1), pairs: pairs, width: vision.width, hidden: vision.hidden,
      layers: vision.layers, isScaled: vision.layerScale != nil, options)
  }

  /// A transformer over captions, packed.
  init(
    text: CLIPConfiguration.Text, rows: Int, pairs: Int, options: ContrastiveOptions
  ) {
    addTransformer(
      rows: rows, pairs: pairs, width: text.width, hidden: text.hidden, layers: text.layers,
      isScaled: text.layerScale != nil, options)
  }

  private mutating func addTransformer(
    rows: Int, pairs: Int, width: Int, hidden: Int, layers: Int, isScaled: Bool,
    _ options: ContrastiveOptions
  ) {
    let size = options.activationStorage == .bfloat16 ? 2 : 4
    // x, q, k, v, the attention's result, x again behind it, and the hidden layer before its GELU.
    let block = rows * ((isScaled ? 8 : 6) * width + hidden) * size + rows * 4 * 4
    // The last block: x, k and v of all rows, the rest of one a pair.
    let last = rows * 3 * width * size + pairs * (6 * width + hidden) * size
    let full = max(0, layers - 1)
    kept += full * (options.recomputesBlocks ? rows * width * size : block) + last
    // The hidden layer through its GELU, its gradient, and some rows as wide as x; a block that is computed again.
    let floats = rows * (2 * hidden + 2 * width) * 4
    workspace = (options.recomputesBlocks ? block : 0) + max(0, floats - last)
  }

  private mutating func addResNet(
    _ vision: CLIPConfiguration.Vision, _ pairs: Int, _ options: ContrastiveOptions
  ) {
    let size = options.activationStorage == .bfloat16 ? 2 : 4
    var (side, floats) = (vision.imageSize / 2, 0)
    // Of each convolution the result, for the norm behind it, and that of the ReLU, for who reads it.
    for outputs in [vision.width / 2, vision.width / 2, vision.width] {
      floats += 2 * side * side * outputs
    }
    let stem = side * side * vision.width
    side /= 2
    var inputs = vision.width
    for (stage, count) in vision.stages.enumerated() {
      let planes = vision.width << stage
      for index in 0..<count {
        let isNarrowed = index == 0 && stage > 0
        let before = side * side
        if isNarrowed { side /= 2 }
        let after = side * side
        // x after a pool: at the first block alone, else it is the result of the block before.
        floats += 4 * before * planes + 8 * after * planes
        if isNarrowed { floats += after * planes + after * inputs }
        if isNarrowed || inputs != 4 * planes { floats += 4 * after * planes }
        if stage == 0 && index == 0 { floats += after * inputs }
        inputs = 4 * planes
      }
    }
    let tokens = side * side + 1
    floats += 3 * tokens * inputs
    kept += pairs * (floats * size + 3 * vision.imageSize * vision.imageSize * 4)
    workspace = pairs * 2 * stem * 4
  }
}
