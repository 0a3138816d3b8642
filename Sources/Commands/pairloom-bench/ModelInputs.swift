import ArgumentParser
import CLIPModel
import DurableFiles
import SeededRandom
import TensorEngine
import Tokenizers

/// A configuration with pairs for it: the same pairs in every run, for the model alone.
struct ModelInputs {
  var configuration: CLIPConfiguration
  /// Start token … end token of each caption.
  var tokens: [[Int32]]
  /// Values of all pictures, standard normal as normalised pictures about are.
  private var pixels: [Float]

  /// - Parameters:
  ///   - model: A name of open_clip or the path of its JSON.
  ///   - count: The number of pairs.
  /// - Throws: What is wrong with the model.
  init(model: String, count: Int) throws {
    if let known = CLIPConfiguration.named(model) {
      configuration = known
    } else if DurableFile.exists(model) {
      configuration = try CLIPConfiguration.read(model)
    } else {
      throw ValidationError(
        "\(model) is neither a file nor one of \(CLIPConfiguration.names.joined(separator: ", "))")
    }
    if let problem = configuration.problem { throw ValidationError("\(model): \(problem)") }
    let tokenizer = try BytePairTokenizer.clip(contextLength: configuration.text.contextLength)
    guard tokenizer.vocabularySize <= configuration.text.vocabularySize else {
      throw ValidationError(
        "\(model): text_cfg.vocab_size is \(configuration.text.vocabularySize); the benchmark's "
          + "captions need CLIP's own \(tokenizer.vocabularySize)")
    }
    tokens = (0..<count).map { tokenizer.encode(Self.caption($0)) }
    var random = RandomStream(seed: 0)
    let side = configuration.vision.imageSize
    pixels = (0..<count * 3 * side * side).map { _ in Float(random.normal()) }
  }

  /// Pictures of the pairs in `range`, `[B, 3, S, S]`.
  func images(_ range: Range<Int>) -> Tensor {
    let side = configuration.vision.imageSize
    let size = 3 * side * side
    return Tensor(
      shape: [range.count, 3, side, side],
      Array(pixels[range.lowerBound * size..<range.upperBound * size]))
  }

  /// Start and end tokens included.
  var meanTokens: Double {
    Double(tokens.reduce(0) { $0 + $1.count }) / Double(max(1, tokens.count))
  }

  private static let words = "a photo of the small red dog running over green grass near water"
    .split(separator: " ")

  /// Caption `index` of ../shared/peers/clip_score.py and train_step.py.
  private static func caption(_ index: Int) -> String {
    words.dropFirst(index % 5).prefix(6 + index % 8).joined(separator: " ")
  }
}
