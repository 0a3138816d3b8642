public import TensorEngine

/// How often the right class is among those whose prompts are nearest to an image.
public struct ZeroShot: Codable, Sendable, Equatable {
  public var top1: Double
  public var top5: Double
  /// The share of a class's images that get the first place right, averaged over classes that have images.
  public var meanPerClassRecall: Double
  public var images: Int
  public var classes: Int
  /// Images that were left out, as they cannot be decoded.
  public var undecodable = 0

  enum CodingKeys: String, CodingKey {
    case top1, top5, images, classes, undecodable
    case meanPerClassRecall = "mean_per_class_recall"
  }

  /// Ranks the classes of each image by cosine.
  ///
  /// Ties count half, as in ``Retrieval``; open_clip's `topk` lets chance decide among them.
  ///
  /// - Parameters:
  ///   - images: `[M, D]`, rows of length one.
  ///   - classVectors: `[C, D]`, from ``classVector(of:)``.
  ///   - labels: The right class of each image.
  public init(images: Tensor, classVectors: Tensor, labels: [Int]) {
    precondition(
      images.shape[0] == labels.count, "\(images.shape[0]) images, \(labels.count) labels")
    let classCount = classVectors.shape[0]
    var (first, five) = (0, 0)
    var hits = [(right: Int, all: Int)](repeating: (0, 0), count: classCount)
    BlockedScores(images, classVectors).forEachRow { image, row in
      let label = labels[image]
      let own = row[label]
      var rank = 1.0
      for other in 0..<classCount where other != label {
        rank += Retrieval.place(row[other], against: own)
      }
      hits[label].all += 1
      if rank <= 1 {
        first += 1
        hits[label].right += 1
      }
      if rank <= 5 { five += 1 }
    }
    self.images = labels.count
    classes = classCount
    top1 = labels.isEmpty ? 0 : Double(first) / Double(labels.count)
    top5 = labels.isEmpty ? 0 : Double(five) / Double(labels.count)
    let recalls = hits.filter { $0.all > 0 }.map { Double($0.right) / Double($0.all) }
    meanPerClassRecall = recalls.isEmpty ? 0 : recalls.reduce(0, +) / Double(recalls.count)
  }

  /// The figures by name, as logs hold them.
  public var figures: [String: Double] {
    ["top_1": top1, "top_5": top5, "mean_per_class_recall": meanPerClassRecall]
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
