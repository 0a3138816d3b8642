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
      return "\(file): \(problem). Give an open_clip configuration of a plain ViT CLIP."
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
        + " Give the folder that pairloom train wrote, or a .safetensors file beside its JSON."
    case .vocabulary(let tokenizer, let model):
      return "\(file): the tokenizer has \(tokenizer) ids, the model \(model)."
        + " Take the merges that the model was trained with."
    }
  }

  private static func listed(_ what: String, _ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(5).joined(separator: ", ")
    return "\(names.count) \(what): \(shown)" + (names.count > 5 ? ", …" : "")
  }
}
