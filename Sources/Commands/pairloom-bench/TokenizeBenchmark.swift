import ArgumentParser
import Foundation
import PipelineCore
import Tokenizers

/// `tokenize`: captions to ids, as training and scoring see them.
struct TokenizeBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Encode captions with CLIP's tokenizer, on one thread.",
    discussion: """
      Prints captions_per_s over time on the processor; what warms up fills the cache of words. \
      Tests/Support/Peers/tokenizer_speed.py times open_clip's tokenizer on the same captions.
      """)

  @Option(help: "A file with one caption in each line, in place of made ones.")
  var captions: String?

  @Option(help: "Captions to make.")
  var rows = 20_000

  @OptionGroup var repetition: RoundOptions

  func validate() throws { try requirePositive(rows, "--rows") }

  func run() throws {
    let made = MadeCaptions()
    let texts =
      try captions.map {
        try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").map(String.init)
      } ?? (0..<rows).map(made.caption)
    guard !texts.isEmpty else { throw ValidationError("--captions names an empty file.") }
    let tokenizer = try BytePairTokenizer.clip()
    var ids = 0
    let rounds = Rounds(repetition.rounds, clock: .processor) {
      ids = texts.reduce(0) { $0 + tokenizer.encode($1).count }
    }
    Figure(
      name: "tokenize",
      values: [
        .init("captions", .int(texts.count)),
        .init("mean_tokens", .rounded(Double(ids) / Double(texts.count))),
        .init("captions_per_s", .rounded(Double(texts.count) / rounds.median)),
      ], threads: 1, rounds: rounds
    ).print()
  }
}
