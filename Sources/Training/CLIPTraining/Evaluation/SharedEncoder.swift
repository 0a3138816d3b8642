import BatchLoading
import CLIPModel
public import Collectives
import PairDataset
public import TensorEngine
import Tokenizers

/// Encodes pictures and texts for an exam: each rank its share, and all ranks know all features.
///
/// A feature has the same bits in any batch, so also for any number of ranks: see `CLIPEncoder`.
public final class SharedEncoder {
  /// What a rank encodes between two gathers.
  ///
  /// No rank then waits for another longer than that takes, which must be less than a collective's deadline.
  private static let piece = 256

  let group: ProcessGroup
  private let encoder: CLIPEncoder
  private let batches: FeatureBatches
  private let tokenizer: BytePairTokenizer

  /// Lays out the weights of a model for encoding, beside it.
  ///
  /// - Parameters:
  ///   - trained: The model as it is now, with its tokenizer and preprocessing.
  ///   - group: The ranks, which all do the same.
  ///   - squares: Where pictures are decoded; in this process unless told.
  public init(
    _ trained: TrainedCLIP, in group: ProcessGroup, squares: (any PictureSquares)? = nil
  ) {
    self.group = group
    encoder = CLIPEncoder(trained.model)
    tokenizer = trained.tokenizer
    batches = FeatureBatches(
      encoders: [encoder], tokenizer: trained.tokenizer, preprocessing: trained.preprocessing,
      squares: squares ?? SquaresHere(trained.preprocessing), batchSize: 32)
  }

  /// The features of an exam's pairs whose pictures can be decoded.
  struct Features {
    /// The numbers of the pairs, ascending.
    var numbers: [Int] = []
    /// `[M, D]`, rows of length one.
    var images: Tensor
    /// `[M, D]`.
    var texts: Tensor
    /// Pairs that have none.
    var undecodable: Int
  }

  /// - Parameters:
  ///   - pairs: The same on every rank.
  ///   - withCaptions: False gives every pair the text feature of the empty caption.
  /// - Returns: The same on every rank.
  /// - Throws: ``ShardError``, ``CollectiveError``, and what keeps all pictures from being decoded.
  func features(of pairs: ExamPairs, withCaptions: Bool = true) throws -> Features {
    let width = batches.width
    let rows = try shared(pairs.count, each: 1 + 2 * width) { range in
      let read = try range.map { number in
        var pair = try pairs.pair(at: number)
        if !withCaptions {
          pair = Pair(key: pair.key, caption: "", image: pair.image, metadata: [])
        }
        return pair
      }
      return try batches.features(
        of: read, precision: .float32, stores: FeatureStores(width: width)
      ).flatMap { features -> [Float] in
        guard case .success(let image) = features.image else {
          return [Float](repeating: 0, count: 1 + 2 * width)
        }
        return [1] + image + features.text
      }
    }
    let known = rows.indices.filter { rows[$0][0] == 1 }
    return Features(
      numbers: known,
      images: Tensor(shape: [known.count, width], known.flatMap { rows[$0][1...width] }),
      texts: Tensor(shape: [known.count, width], known.flatMap { rows[$0][(1 + width)...] }),
      undecodable: rows.count - known.count)
  }

  /// One vector per class: the mean over the templates, of length one.
  ///
  /// - Parameters:
  ///   - names: Of the classes.
  ///   - templates: Each with `{}` where the name goes.
  /// - Returns: `[C, D]`, the same on every rank.
  /// - Throws: ``CollectiveError``.
  public func classVectors(names: [String], templates: [String]) throws -> Tensor {
    precondition(!names.isEmpty && !templates.isEmpty, "no class or no template")
    let rows = try shared(names.count, each: batches.width) { range in
      range.flatMap { index -> [Float] in
        let prompts = templates.map { Self.prompt($0, names[index]) }
        return ZeroShot.classVector(of: encoder.textFeatures(prompts.map { tokenizer.encode($0) }))
      }
    }
    return Tensor(shape: [names.count, batches.width], rows.flatMap { $0 })
  }

  private static func prompt(_ template: String, _ name: String) -> String {
    template.split(separator: "{}", omittingEmptySubsequences: false).joined(separator: name)
  }

  /// Makes rows of floats, each rank for its slice of them, and gives all to all.
  func shared(
    _ count: Int, each width: Int, _ make: (Range<Int>) throws -> [Float]
  ) throws -> [[Float]] {
    let slices = (0..<group.worldSize).map {
      PairOrder.slice(of: count, rank: $0, worldSize: group.worldSize)
    }
    func part(_ rank: Int, _ start: Int) -> Range<Int> {
      let slice = slices[rank]
      let low = min(slice.lowerBound + start, slice.upperBound)
      return low..<min(low + Self.piece, slice.upperBound)
    }
    var rows = [[Float]](repeating: [], count: count)
    for start in stride(from: 0, to: slices.map(\.count).max() ?? 0, by: Self.piece) {
      let own = try make(part(group.rank, start))
      for (rank, values) in try group.allGather(own).enumerated() {
        let range = part(rank, start)
        precondition(
          values.count == range.count * width,
          "rank \(rank) gave \(values.count) floats for \(range.count) rows of \(width)")
        for (place, row) in range.enumerated() {
          rows[row] = Array(values[place * width..<(place + 1) * width])
        }
      }
    }
    return rows
  }
}

extension FeatureStores {
  /// In memory, for one call: equal pictures and captions of it are encoded once.
  init(width: Int) {
    images = FeatureStore(width: width)
    texts = FeatureStore(width: width)
  }
}
