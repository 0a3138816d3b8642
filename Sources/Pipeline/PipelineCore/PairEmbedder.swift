public import PairDataset

/// What a model makes of a pair: a vector of length one for the picture, and one for the caption.
public struct PairEmbedding: Sendable, Equatable {
  /// Nil where the picture does not decode.
  public var image: [Float]?
  public var text: [Float]
  /// What is wrong with the picture, where it does not decode.
  public var fault: String?

  public init(image: [Float], text: [Float]) {
    self.image = image
    self.text = text
  }

  /// Of a pair whose picture does not decode.
  public init(fault: String, text: [Float]) {
    self.fault = fault
    self.text = text
  }

  /// The cosine of picture and caption, before either is rounded; nil without a picture.
  public var score: Float? {
    image.map { image in
      precondition(image.count == text.count, "vectors of \(image.count) and \(text.count)")
      return zip(image, text).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }
}

/// Gives vectors to pairs: as ``PairScorer``, the way by which a model reaches the pipeline.
///
/// The same pairs in one call give the same vectors, whatever was asked before.
public protocol PairEmbedder: Sendable {
  /// The model's name.
  var name: String { get }
  /// What makes the vectors: weights, tokenizer, preprocessing, by name.
  var provenance: [String: String] { get }
  /// What else is known of the model: what a table of its scores names beside ``provenance``.
  var facts: [String: String] { get }
  /// The numbers of a vector.
  var width: Int { get }
  /// The vectors of each pair, in order.
  func embeddings(of pairs: [Pair]) async throws -> [PairEmbedding]
}

extension PairEmbedder {
  public var facts: [String: String] { [:] }
}
