public import TensorEngine

/// How well images find their captions and captions their image.
public struct Retrieval: Codable, Sendable, Equatable {
  /// One direction's figures; ranks count from 1.
  public struct Direction: Codable, Sendable, Equatable {
    public var recallAt1: Double
    public var recallAt5: Double
    public var recallAt10: Double
    public var meanRank: Double
    public var medianRank: Double
    public var queries: Int
    /// Recall at 1, 5 and 10 of a scorer that knows nothing.
    public var chance: [Double]

    enum CodingKeys: String, CodingKey {
      case recallAt1 = "r_at_1"
      case recallAt5 = "r_at_5"
      case recallAt10 = "r_at_10"
      case meanRank = "mean_rank"
      case medianRank = "median_rank"
      case queries, chance
    }

    /// - Parameters:
    ///   - ranks: The rank of each query's best true match.
    ///   - candidates: The number of things that are ranked.
    init(ranks: [Double], candidates: Int) {
      func share(_ k: Double) -> Double {
        ranks.isEmpty ? 0 : Double(ranks.count { $0 <= k }) / Double(ranks.count)
      }
      (recallAt1, recallAt5, recallAt10) = (share(1), share(5), share(10))
      meanRank = ranks.isEmpty ? 0 : ranks.reduce(0, +) / Double(ranks.count)
      let sorted = ranks.sorted()
      let middle = sorted.count / 2
      medianRank =
        sorted.isEmpty
        ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
      queries = ranks.count
      chance = [1, 5, 10].map { min(1, $0 / Double(max(1, candidates))) }
    }
  }

  public var imageToText: Direction
  public var textToImage: Direction

  enum CodingKeys: String, CodingKey {
    case imageToText = "image_to_text"
    case textToImage = "text_to_image"
  }

  /// Measures both directions by cosine.
  ///
  /// A rank is 1 + (candidates that score better) + ½·(other candidates that score the same), so
  /// that a model which gives everything one score gets the middle and not the first place. With several
  /// captions of an image, image → text takes the best of them among the captions of other images.
  /// Costs images × texts × width.
  ///
  /// - Parameters:
  ///   - images: `[M, D]`, rows of length one.
  ///   - texts: `[K, D]`, rows of length one.
  ///   - imageOfText: For each text the row of its image.
  public init(images: Tensor, texts: Tensor, imageOfText: [Int]) {
    precondition(
      texts.shape[0] == imageOfText.count, "\(texts.shape[0]) texts, \(imageOfText.count) owners")
    let (imageCount, textCount) = (images.shape[0], texts.shape[0])
    let scores = Tensor.matmul(images, texts, transposeB: true)
    var textRanks: [Double] = []
    var imageRanks: [Double] = []
    scores.withSpan { span in
      for text in 0..<textCount {
        let owner = imageOfText[text]
        let own = span[owner * textCount + text]
        var rank = 1.0
        for image in 0..<imageCount where image != owner {
          rank += Self.place(span[image * textCount + text], against: own)
        }
        textRanks.append(rank)
      }
      var captions = [[Int]](repeating: [], count: imageCount)
      for (text, owner) in imageOfText.enumerated() { captions[owner].append(text) }
      for image in 0..<imageCount where !captions[image].isEmpty {
        let row = image * textCount
        let best = captions[image].reduce(-Float.infinity) { max($0, span[row + $1]) }
        var rank = 1.0
        for text in 0..<textCount where imageOfText[text] != image {
          rank += Self.place(span[row + text], against: best)
        }
        imageRanks.append(rank)
      }
    }
    imageToText = Direction(ranks: imageRanks, candidates: textCount)
    textToImage = Direction(ranks: textRanks, candidates: imageCount)
  }

  private static func place(_ other: Float, against own: Float) -> Double {
    other > own ? 1 : other == own ? 0.5 : 0
  }
}
