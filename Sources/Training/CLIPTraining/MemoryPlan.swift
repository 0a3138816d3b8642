import Autograd
public import CLIPModel

/// The memory that a training step of one rank will take, told before the run.
///
/// Counted from the configuration, as the operations keep what they keep; nothing is made. It stays within a tenth
/// of the measured peak for the configurations that the tests name.
public struct MemoryPlan: Sendable, Equatable {
  /// What a step is made of, as far as it takes memory.
  public struct Step: Sendable, Equatable {
    /// Pairs of this rank.
    public var pairs: Int
    /// Tokens of a caption, start and end included, on average.
    public var meanTokens: Double
    /// Micro-batches, recomputation, patch dropout and the form of what is kept.
    public var options: ContrastiveOptions
    /// Whether a moving average is kept.
    public var keepsAverage: Bool
    /// Whether the towers are trained.
    public var trainsImageTower = true
    public var trainsTextTower = true
    /// Batches of pictures in memory: the one at work, and those that the loader has ready.
    public var loadedBatches = 2

    public init(
      pairs: Int, meanTokens: Double, options: ContrastiveOptions = .init(),
      keepsAverage: Bool = false
    ) {
      self.pairs = pairs
      self.meanTokens = meanTokens
      self.options = options
      self.keepsAverage = keepsAverage
    }
  }

  // All in bytes.
  public var parameters = 0
  public var gradients = 0
  /// AdamW's two moments.
  public var optimizer = 0
  public var average = 0
  /// What the forward pass keeps for the backward pass, at its largest.
  public var activations = 0
  /// What the operations need besides, at the worst moment.
  public var workspace = 0
  public var pictures = 0
  /// The program itself, its tables and the linear algebra's buffers.
  public var program = 72 << 20

  public var total: Int {
    parameters + gradients + optimizer + average + activations + workspace + pictures + program
  }

  /// - Parameters:
  ///   - configuration: The model.
  ///   - step: What is done with it.
  public init(_ configuration: CLIPConfiguration, _ step: Step) {
    var trained = 0
    configuration.visitShapes { name, shape in
      let count = shape.reduce(1, *)
      // Beside the towers there are scale and bias alone.
      let isTrained =
        name.hasPrefix("visual.") ? step.trainsImageTower : step.trainsTextTower
      parameters += count * 4
      if isTrained, !name.hasSuffix("running_mean"), !name.hasSuffix("running_var") {
        trained += count
      }
      return true
    }
    gradients = trained * 4
    optimizer = trained * 8
    average = step.keepsAverage ? trained * 4 : 0
    let side = configuration.vision.imageSize
    pictures = step.loadedBatches * step.pairs * 3 * side * side * 4
    let parts = step.options.microBatches
    let pairs = (step.pairs + parts - 1) / parts
    let image = TowerMemory(image: configuration.vision, pairs: pairs, options: step.options)
    let text = TowerMemory(
      text: configuration.text, rows: Int((Double(pairs) * step.meanTokens).rounded(.up)),
      pairs: pairs, options: step.options)
    // A tower that is not trained keeps nothing, but is computed.
    activations =
      (step.trainsImageTower ? image.kept : 0) + (step.trainsTextTower ? text.kept : 0)
    // The parts of a batch are copies of its pictures.
    workspace =
      max(image.workspace, text.workspace) + (parts > 1 ? step.pairs * 3 * side * side * 4 : 0)
  }
}

extension MemoryPlan: CustomStringConvertible {
  /// One paragraph, for people.
  public var description: String {
    func size(_ bytes: Int) -> String {
      let mebibytes = Double(bytes) / Double(1 << 20)
      return mebibytes < 10_000
        ? "\(Int(mebibytes.rounded())) MiB"
        : "\((mebibytes / 102.4).rounded() / 10) GiB"
    }
    let moving = average > 0 ? ", moving average \(size(average))" : ""
    return
      "A step will take about \(size(total)): parameters \(size(parameters)), gradients "
      + "\(size(gradients)), optimizer \(size(optimizer))\(moving), activations "
      + "\(size(activations)), workspace \(size(workspace)), pictures \(size(pictures)), the "
      + "program \(size(program)). Less: accumulate in more micro-batches, recompute blocks, or "
      + "keep activations as bfloat16."
  }
}
