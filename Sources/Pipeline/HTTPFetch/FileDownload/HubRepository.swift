/// A repository of a hub of models, as `hub:ORG/NAME[@REVISION]` names it.
///
/// Source: huggingface_hub, `hf_hub_url` and `HfApi.model_info`: `ENDPOINT/api/models/ID/revision/REV?blobs=true`
/// lists files with size and, of large ones, SHA-256; `ENDPOINT/ID/resolve/REV/FILE` gives one.
public struct HubRepository: Sendable, Equatable {
  public var name: String
  public var revision: String
  public var endpoint: String

  /// Nil for what is no such name.
  ///
  /// - Parameters:
  ///   - text: With or without `hub:`.
  ///   - endpoint: Of the hub, `HF_ENDPOINT`.
  public init?(_ text: String, endpoint: String = "https://huggingface.co") {
    let rest = text.hasPrefix("hub:") ? text.dropFirst(4) : Substring(text)
    let halves = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false)
    // What the hub allows in a name; no `..` can come of it.
    guard (1...2).contains(parts.count), parts.allSatisfy(Self.isName),
      halves.count == 1 || halves[1].split(separator: "/").allSatisfy(Self.isName),
      halves.count == 1 || !halves[1].isEmpty
    else { return nil }
    name = String(halves[0])
    revision = halves.count == 2 ? String(halves[1]) : "main"
    self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
  }

  private static func isName(_ part: Substring) -> Bool {
    !part.isEmpty && part.utf8.count <= 96 && part != "." && part != ".."
      && part.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
      }
  }

  /// Where the list of its files is.
  public var listing: String {
    let revision = revision.split(separator: "/").joined(separator: "%2F")
    return "\(endpoint)/api/models/\(name)/revision/\(revision)?blobs=true"
  }

  /// Where a file is; at the commit that the list was of, so that files of two states never come together.
  public func url(of file: String, commit: String?) -> String {
    "\(endpoint)/\(name)/resolve/\(commit ?? revision)/\(file)"
  }

  /// The files of a CLIP that open_clip or transformers would load, of those that there are.
  ///
  /// Weights: open_clip's safetensors, transformers' (whole, or its shards with their index), then the same of
  /// torch. Beside them the configuration, preprocessing and tokenizer. Empty where there are no weights.
  public static func chosen(of files: [String]) -> [String] {
    let there = Set(files)
    let weights = [
      "open_clip_model.safetensors", "model.safetensors", "model.safetensors.index.json",
      "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin", "pytorch_model.bin",
      "pytorch_model.bin.index.json",
    ].first(where: there.contains)
    guard let weights else { return [] }
    var chosen = [weights]
    if weights.hasSuffix(".index.json") {
      let stem = weights.hasPrefix("model") ? "model-" : "pytorch_model-"
      chosen += files.filter { $0.hasPrefix(stem) && !$0.contains("/") }.sorted()
    }
    let beside = [
      "open_clip_config.json", "config.json", "preprocessor_config.json", "tokenizer.json",
      "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
    ]
    return chosen + beside.filter(there.contains)
  }
}
