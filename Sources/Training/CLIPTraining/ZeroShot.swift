public import TensorEngine

/// How often the right class is among those whose prompts are nearest to an image.
public struct ZeroShot: Codable, Sendable, Equatable {
  public var top1: Double
  public var top5: Double
  public var images: Int
  public var classes: Int

  /// Ranks the classes of each image by cosine.
  ///
  /// Ties count half, as in ``Retrieval``.
  ///
  /// - Parameters:
  ///   - images: `[M, D]`, rows of length one.
  ///   - classVectors: `[C, D]`, from ``classVector(of:)``.
  ///   - labels: The right class of each image.
  public init(images: Tensor, classVectors: Tensor, labels: [Int]) {
    precondition(
      images.shape[0] == labels.count, "\(images.shape[0]) images, \(labels.count) labels")
    let classCount = classVectors.shape[0]
    let scores = Tensor.matmul(images, classVectors, transposeB: true)
    var (first, five) = (0, 0)
    scores.withSpan { span in
      for (image, label) in labels.enumerated() {
        let own = span[image * classCount + label]
        var rank = 1.0
        for other in 0..<classCount where other != label {
          let score = span[image * classCount + other]
          rank += score > own ? 1 : score == own ? 0.5 : 0
        }
        if rank <= 1 { first += 1 }
        if rank <= 5 { five += 1 }
      }
    }
    self.images = labels.count
    classes = classCount
    top1 = labels.isEmpty ? 0 : Double(first) / Double(labels.count)
    top5 = labels.isEmpty ? 0 : Double(five) / Double(labels.count)
  }

  /// The mean of the prompts' features, brought to length one.
  ///
  /// - Parameter prompts: `[P, D]`, rows of length one, one per template.
  /// - Returns: D values.
  public static func classVector(of prompts: Tensor) -> [Float] {
    let (count, width) = (prompts.shape[0], prompts.shape[1])
    let mean = prompts.withSpan { span in
      (0..<width).map { column in
        (0..<count).reduce(Float(0)) { $0 + span[$1 * width + column] } / Float(count)
      }
    }
    let length = mean.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
    return mean.map { $0 / max(length, .leastNormalMagnitude) }
  }
}
