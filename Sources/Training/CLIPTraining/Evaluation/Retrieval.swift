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
  /// The probability that a caption is nearer to its own image than another caption to another image.
  ///
  /// Mismatched pairs are each caption with the image of the caption ⌊K/2⌋ further on, unless that is its own;
  /// nil where there is none.
  public var auc: Double?
  /// Pairs that were left out, as their pictures cannot be decoded.
  public var undecodable = 0

  enum CodingKeys: String, CodingKey {
    case imageToText = "image_to_text"
    case textToImage = "text_to_image"
    case auc, undecodable
  }

  /// Measures both directions by cosine.
  ///
  /// A rank is 1 + (candidates that score better) + ½·(other candidates that score the same), so
  /// that a model which gives everything one score gets the middle and not the first place. open_clip gives
  /// equal scores the order of `argsort`, so that its ranks of them are chance; it also rounds a median that lies
  /// between two ranks down. Without ties the ranks are the same. With several captions of an image,
  /// image → text takes the best of them among the captions of other images. Equal rows have equal scores, bit for
  /// bit. Costs 2 · images × texts × width; memory for ``block`` rows of scores at a time.
  ///
  /// - Parameters:
  ///   - images: `[M, D]`, rows of length one.
  ///   - texts: `[K, D]`, rows of length one.
  ///   - imageOfText: For each text the row of its image.
  public init(images: Tensor, texts: Tensor, imageOfText: [Int]) {
    precondition(
      texts.shape[0] == imageOfText.count, "\(texts.shape[0]) texts, \(imageOfText.count) owners")
    let (imageCount, textCount) = (images.shape[0], texts.shape[0])
    var captions = [[Int]](repeating: [], count: imageCount)
    for (text, owner) in imageOfText.enumerated() { captions[owner].append(text) }
    let scores = BlockedScores(images, texts)
    // Each text's score with its own image, and with that of another text.
    var own = [Float](repeating: 0, count: textCount)
    var crossed: [Float] = []
    var crossings = [[Int]](repeating: [], count: imageCount)
    for text in 0..<textCount {
      let other = imageOfText[(text + textCount / 2) % textCount]
      if other != imageOfText[text] { crossings[other].append(text) }
    }
    scores.forEachRow { image, row in
      for text in captions[image] { own[text] = row[text] }
      for text in crossings[image] { crossed.append(row[text]) }
    }
    var textRanks = [Double](repeating: 1, count: textCount)
    var imageRanks: [Double] = []
    scores.forEachRow { image, row in
      let best = captions[image].reduce(-Float.infinity) { max($0, own[$1]) }
      var rank = 1.0
      for text in 0..<textCount where imageOfText[text] != image {
        textRanks[text] += Self.place(row[text], against: own[text])
        rank += Self.place(row[text], against: best)
      }
      if !captions[image].isEmpty { imageRanks.append(rank) }
    }
    imageToText = Direction(ranks: imageRanks, candidates: textCount)
    textToImage = Direction(ranks: textRanks, candidates: imageCount)
    auc =
      (own + crossed).contains(where: \.isNaN)
      ? nil
      : AreaUnderROC.value(
        scores: own + crossed,
        positives: own.map { _ in true } + crossed.map { _ in false })
  }

  /// What a score adds to the rank of `own`: a tie counts half, and so does what is no number, which would else be
  /// first of all.
  static func place(_ other: Float, against own: Float) -> Double {
    other > own ? 1 : other < own ? 0 : 0.5
  }

  /// The figures by name, as logs hold them.
  public var figures: [String: Double] {
    var figures: [String: Double] = [:]
    for (name, direction) in [("image_to_text", imageToText), ("text_to_image", textToImage)] {
      figures[name + "_r_at_1"] = direction.recallAt1
      figures[name + "_r_at_5"] = direction.recallAt5
      figures[name + "_r_at_10"] = direction.recallAt10
      figures[name + "_mean_rank"] = direction.meanRank
      figures[name + "_median_rank"] = direction.medianRank
    }
    figures["auc"] = auc
    return figures
  }
}
