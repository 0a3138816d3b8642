import ArgumentParser
import Autograd
import CLIPModel
import PipelineCore
import TensorEngine

/// `score`: the towers of a CLIP alone, pictures decoded and captions tokenised before.
struct ScoreBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Run both towers of a CLIP with random weights over pairs.",
    discussion: """
      Prints image_per_s, text_per_s and pairs_per_s at the batch size that was fastest; median and \
      minimum are those of both towers over all pairs.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The number of pairs.")
  var pairs = 256

  @Option(help: "Batch sizes to try, with commas between them.")
  var batches = NumberList([16, 32, 64, 128])

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(pairs, "--pairs")
    guard batches.numbers.allSatisfy({ $0 >= 1 && $0 < 1e6 }) else {
      throw ValidationError("--batches takes whole numbers from 1.")
    }
  }

  func run() throws {
    TensorThreads.set(model.threads)
    let inputs = try ModelInputs(model: model.model, count: pairs)
    let clip = CLIP(inputs.configuration, seed: 0)
    let results = batches.numbers.map { timings(of: clip, inputs, batch: min(Int($0), pairs)) }
    guard let best = results.min(by: { $0.both.median < $1.both.median }) else { return }
    let count = Double(pairs)
    Figure(
      name: "score",
      values: [
        .init("model", .string(model.model)), .init("pairs", .int(pairs)),
        .init("mean_tokens", .rounded(inputs.meanTokens)), .init("batch", .int(best.batch)),
        .init("image_per_s", .rounded(count / best.image.median)),
        .init("text_per_s", .rounded(count / best.text.median)),
        .init("pairs_per_s", .rounded(count / best.both.median)),
      ], threads: model.threads, rounds: best.both
    ).print()
  }

  private struct Timings {
    var batch: Int
    var image: Rounds
    var text: Rounds
    var both: Rounds
  }

  private func timings(of clip: CLIP, _ inputs: ModelInputs, batch: Int) -> Timings {
    let ranges = stride(from: 0, to: pairs, by: batch).map { $0..<min($0 + batch, pairs) }
    let images = ranges.map { inputs.images($0) }
    let tokens = ranges.map { Array(inputs.tokens[$0]) }
    return withoutGradient {
      // One batch warms up: it fills the pool with the sizes that all need.
      _ = clip.imageFeatures(images[0])
      _ = clip.textFeatures(tokens[0])
      var image: [Double] = []
      var text: [Double] = []
      for _ in 0..<repetition.rounds {
        image.append(Rounds.Clock.wall.seconds { for x in images { _ = clip.imageFeatures(x) } })
        text.append(Rounds.Clock.wall.seconds { for x in tokens { _ = clip.textFeatures(x) } })
      }
      return Timings(
        batch: batch, image: Rounds(clock: .wall, seconds: image),
        text: Rounds(clock: .wall, seconds: text),
        both: Rounds(clock: .wall, seconds: zip(image, text).map(+)))
    }
  }
}
