import BatchLoading
import CLIPModel
import ContentHashing
import FoundationEssentials
import Tokenizers

extension TrainedCLIP {
  /// What decides about scores besides the weights, for the footers of tables.
  ///
  /// Each fact is whole: two models with the same facts and weights give the same scores.
  ///
  /// - Throws: What JSON cannot say; no configuration holds such a number.
  public func scoringFacts() throws -> [String: String] {
    let (mean, std) = (preprocessing.mean, preprocessing.std)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return [
      "activation": model.configuration.quickGELU ? "quickgelu" : "gelu",
      "configuration": String(
        decoding: try encoder.encode(model.configuration), as: UTF8.self),
      "preprocessing":
        "\(preprocessing.filter) to \(preprocessing.size), \(shape),"
        + " mean \(Self.words(mean)), std \(Self.words(std))",
      "tokenizer":
        "byte pairs, \(tokenizer.vocabularySize) tokens, context \(tokenizer.contextLength),"
        + " merges \(ContentHash.sha256Hex(Array(tokenizer.mergesText.utf8)))",
      "precision": "float32",
    ]
  }

  /// How a picture becomes a square.
  private var shape: String {
    switch preprocessing.resizeMode {
    case .shortest: "the shorter side and the centre of the longer"
    case .longest: "the longer side and borders of \(preprocessing.fillColor)"
    case .squash: "both sides"
    }
  }

  private static func words(_ numbers: [Float]) -> String {
    numbers.map { "\($0)" }.joined(separator: " ")
  }
}
