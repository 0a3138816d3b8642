import CLIPModel
import TensorEngine

/// Both towers over all pairs at one batch size, and in the same rounds what OpenBLAS alone reaches.
struct TowerTimings {
  let batch: Int
  let products: TowerProducts
  let image: Rounds
  let text: Rounds
  let both: Rounds
  /// The time of all cores that both towers took.
  let processor: Rounds
  let sgemm: Rounds

  init(_ encoder: CLIPEncoder, _ inputs: ModelInputs, batch: Int, rounds: Int) {
    self.batch = batch
    let count = inputs.tokens.count
    let products = TowerProducts(encoder.configuration.vision, batch: batch)
    self.products = products
    let ranges = stride(from: 0, to: count, by: batch).map { $0..<min($0 + batch, count) }
    let images = ranges.map { inputs.images($0) }
    let tokens = ranges.map { Array(inputs.tokens[$0]) }
    // One batch warms up: it fills the pool with the sizes that all need.
    _ = encoder.imageFeatures(images[0])
    _ = encoder.textFeatures(tokens[0])
    products.run()
    var seen: (image: [Double], text: [Double]) = ([], [])
    var (cores, openBLAS): ([Double], [Double]) = ([], [])
    for _ in 0..<rounds {
      openBLAS.append(Rounds.Clock.wall.seconds { products.run() })
      cores.append(
        Rounds.Clock.processor.seconds {
          seen.image.append(
            Rounds.Clock.wall.seconds { for x in images { _ = encoder.imageFeatures(x) } })
          seen.text.append(
            Rounds.Clock.wall.seconds { for x in tokens { _ = encoder.textFeatures(x) } })
        })
    }
    self.image = Rounds(clock: .wall, seconds: seen.image)
    self.text = Rounds(clock: .wall, seconds: seen.text)
    both = Rounds(clock: .wall, seconds: zip(seen.image, seen.text).map(+))
    self.processor = Rounds(clock: .processor, seconds: cores)
    self.sgemm = Rounds(clock: .wall, seconds: openBLAS)
  }
}

/// The four products of an image tower's block, for OpenBLAS alone.
struct TowerProducts {
  private let pairs: [(Tensor, Tensor)]
  private let blockOperations: Double
  /// Multiplications and additions that the tower needs for one picture, attention's included and those
  /// of the last block's rows that nobody reads left out.
  let operations: Double

  init(_ vision: CLIPConfiguration.Vision, batch: Int) {
    let (width, hidden) = (vision.width, vision.hidden)
    let patches = vision.gridSize * vision.gridSize
    let tokens = patches + 1
    let shapes = [(width, 3 * width), (width, width), (width, hidden), (hidden, width)]
    pairs = shapes.map { inputs, outputs in
      (
        Tensor(shape: [batch * tokens, inputs], repeating: 0.5),
        Tensor(shape: [outputs, inputs], repeating: 0.5)
      )
    }
    let weights = shapes.reduce(0) { $0 + $1.0 * $1.1 }
    blockOperations = 2 * Double(batch * tokens * weights)
    let block = tokens * weights + 2 * tokens * tokens * width
    // Keys and values of all rows; all else of one.
    let keysAndValues = 2 * width * width
    let last = tokens * keysAndValues + weights - keysAndValues + 2 * tokens * width
    let patch = patches * 3 * vision.patchSize * vision.patchSize * width
    operations = 2 * Double(patch + (vision.layers - 1) * block + last)
  }

  func run() {
    for (x, weight) in pairs { _ = Tensor.matmul(x, weight, transposeB: true) }
  }

  /// Operations a second when all products took `seconds`.
  func rate(_ seconds: Double) -> Double { blockOperations / seconds }
}
