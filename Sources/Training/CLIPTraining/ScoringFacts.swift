import BatchLoading
import CLIPModel
import ContentHashing
import Tokenizers

extension TrainedCLIP {
  /// What decides about scores besides the weights, in words: for the footers of tables.
  public var scoringFacts: [String: String] {
    let (mean, std) = (preprocessing.mean, preprocessing.std)
    let merges = ContentHash.sha256Hex(Array(tokenizer.mergesText.utf8))
    return [
      "activation": model.configuration.quickGELU ? "quickgelu" : "gelu",
      "preprocessing":
        "bicubic to \(preprocessing.size), centre crop, mean \(Self.words(mean)), std \(Self.words(std))",
      "tokenizer":
        "byte pairs, \(tokenizer.vocabularySize) tokens, context \(tokenizer.contextLength),"
        + " merges \(merges.prefix(16))",
      "precision": "float32",
    ]
  }

  private static func words(_ numbers: [Float]) -> String {
    numbers.map { "\($0)" }.joined(separator: " ")
  }
}
