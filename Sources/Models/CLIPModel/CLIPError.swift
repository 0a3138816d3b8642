/// Why a CLIP cannot be made from files: the file, and all that is wrong with it.
public struct CLIPError: Error, Equatable, Sendable, CustomStringConvertible {
  public struct ShapeMismatch: Equatable, Sendable {
    public var name: String
    public var expected: [Int]
    public var found: [Int]

    public init(name: String, expected: [Int], found: [Int]) {
      self.name = name
      self.expected = expected
      self.found = found
    }
  }

  public enum Reason: Equatable, Sendable {
    /// The configuration cannot be read or asks for what is not there; in words.
    case configuration(String)
    /// The weights do not fit the configuration.
    case weights(missing: [String], unexpected: [String], mismatched: [ShapeMismatch])
    /// No file of these names is there.
    case noFile([String])
    /// The tokenizer knows another number of ids than the model.
    case vocabulary(tokenizer: Int, model: Int)
    /// The weights are of another architecture; in words.
    case unsupported(String)
    /// Nothing says which activation the weights were trained with.
    case unknownActivation
    /// What was asked for contradicts what the file says; in words.
    case contradiction(String)
    /// The model cannot be written in the layout; in words.
    case notWritable(String)
  }

  public var reason: Reason
  public var file: String

  public init(_ reason: Reason, file: String) {
    self.reason = reason
    self.file = file
  }

  public var description: String {
    switch reason {
    case .configuration(let problem):
      return
        "\(file): \(problem). Give an open_clip configuration of a plain CLIP, a ViT or OpenAI's"
        + " ResNet; SigLIP, CoCa, CLIPA and towers of timm or Hugging Face are not there."
    case .weights(let missing, let unexpected, let mismatched):
      let parts =
        [
          Self.listed("missing", missing), Self.listed("unexpected", unexpected),
          Self.listed(
            "of another shape",
            mismatched.map { "\($0.name) (\($0.found), the model wants \($0.expected))" }),
        ].compactMap { $0 }
      return "\(file): the weights do not fit the model: \(parts.joined(separator: "; "))."
        + " Check that the configuration is the one they were made with."
    case .noFile(let names):
      return "\(file): none of \(names.joined(separator: ", ")) is there."
        + " Give a folder of pairloom train, open_clip or Hugging Face, or a file of weights."
    case .vocabulary(let tokenizer, let model):
      return "\(file): the tokenizer has \(tokenizer) ids, the model \(model)."
        + " Take the merges that the model was trained with."
    case .unsupported(let what):
      return "\(file): the weights are of \(what)."
        + " Give a CLIP of OpenAI, open_clip (plain CLIP) or Hugging Face (CLIPModel)."
    case .unknownActivation:
      return "\(file): does not say which activation its weights were trained with, and with the"
        + " other one every score is wrong. Give --activation quick-gelu (OpenAI's weights, and what"
        + " open_clip calls -quickgelu), --activation gelu (of a run: --set model_activation=…), or"
        + " --model-config NAME."
    case .contradiction(let problem): return "\(file): \(problem)"
    case .notWritable(let problem): return "\(file): \(problem)"
    }
  }

  private static func listed(_ what: String, _ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(5).joined(separator: ", ")
    return "\(names.count) \(what): \(shown)" + (names.count > 5 ? ", …" : "")
  }
}
