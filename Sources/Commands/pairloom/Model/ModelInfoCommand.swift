import ArgumentParser
import Foundation

/// `pairloom model info PATH`: what a weight file is, and what it says of itself.
struct ModelInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what weights are: format, layout, sizes, activation, preprocessing, tokenizer.",
    discussion: """
      Nothing in a file is run: a pickle that asks for more than tensors is refused by name.

        pairloom model info ViT-B-32.pt
        pairloom model info open_clip_pytorch_model.bin --json
      """)

  @OptionGroup var options: ModelOptions

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func run() throws {
    let facts = try ModelFacts(options)
    guard json else {
      facts.lines.forEach { Terminal.print($0) }
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Terminal.print(String(decoding: try encoder.encode(facts), as: UTF8.self))
  }
}
