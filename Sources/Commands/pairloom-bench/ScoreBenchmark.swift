import ArgumentParser
import CLIPModel
import PipelineCore
import TensorEngine

/// How the benchmarks of scoring compute their products.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: "float32 or int8.",
    transform: { text in
      guard let known = ProductPrecision(rawValue: text) else {
        throw ValidationError("--precision is \(text); give float32 or int8.")
      }
      return known
    })
  var precision = ProductPrecision.float32

  @Flag(help: "Leave AVX-512 and VNNI aside, as on a processor that has AVX2 alone.")
  var avx2 = false

  func apply() { if avx2 { VectorInstructions.limit(to: .avx2) } }

  var instructions: String { "\(VectorInstructions.current)" }
}

/// `score`: the towers of a CLIP alone, pictures decoded and captions tokenised before.
struct ScoreBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Run both towers of a CLIP with random weights over pairs.",
    discussion: """
      Prints image_per_s, text_per_s and pairs_per_s at the batch size that was fastest; median and \
      minimum are those of both towers over all pairs. Of the same rounds: pairs per second of all cores' \
      time; what OpenBLAS reaches at the image tower's products, gflops; what the tower reaches in \
      these and all else together, and the share of the two.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The number of pairs.")
  var pairs = 256

  @Option(help: "Batch sizes to try, with commas between them.")
  var batches = NumberList([16, 32, 64, 128])

  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(pairs, "--pairs")
    guard batches.numbers.allSatisfy({ $0 >= 1 && $0 < 1e6 }) else {
      throw ValidationError("--batches takes whole numbers from 1.")
    }
  }

  func run() throws {
    TensorThreads.set(model.threads)
    precision.apply()
    let inputs = try ModelInputs(model: model.model, count: pairs)
    let encoder = CLIPEncoder(
      CLIP(inputs.configuration, seed: 0), precision: precision.precision)
    let results = batches.numbers.map { number in
      TowerTimings(encoder, inputs, batch: min(Int(number), pairs), rounds: repetition.rounds)
    }
    guard let best = results.min(by: { $0.both.median < $1.both.median }) else { return }
    let count = Double(pairs)
    let tower = best.products.operations * count / best.image.median / 1e9
    let sgemm = best.products.rate(best.sgemm.median) / 1e9
    Figure(
      name: "score",
      values: [
        .init("model", .string(model.model)),
        .init("precision", .string(precision.precision.rawValue)),
        .init("instructions", .string(precision.instructions)), .init("pairs", .int(pairs)),
        .init("mean_tokens", .rounded(inputs.meanTokens)), .init("batch", .int(best.batch)),
        .init("image_per_s", .rounded(count / best.image.median)),
        .init("text_per_s", .rounded(count / best.text.median)),
        .init("pairs_per_s", .rounded(count / best.both.median)),
        .init("pairs_per_cpu_s", .rounded(count / best.processor.median)),
        .init("sgemm_gflops", .rounded(sgemm)), .init("tower_gflops", .rounded(tower)),
        .init("share_of_sgemm", .rounded(tower / sgemm)),
        .init("peak_mb", .rounded(try ProcessMemory.megabytes("VmHWM"))),
      ], threads: model.threads, rounds: best.both
    ).print()
  }
}
