/// Which parameters AdamW's weight decay applies to, as open_clip's versions have it.
public enum WeightDecayRule: String, Codable, Sendable, CaseIterable {
  /// open_clip up to 3: matrices decay, positional and token embeddings among them.
  ///
  /// The original excludes a name that contains `bn`, `ln`, `bias` or `logit_scale` anywhere, which
  /// would also catch a parameter such as `balnce.weight`. Here a name is excluded when one of its dotted
  /// parts is a norm's or it ends in a bias: the same parameters for every CLIP, and no others.
  case openClip3 = "open_clip_3"
  /// open_clip's main branch: as above, but positional and class embeddings do not decay.
  case openClipMain = "open_clip_main"

  private static let normParts: Set<String> = ["ln_1", "ln_2", "ln_pre", "ln_post", "ln_final"]
  private static let biasParts: Set<String> = ["bias", "in_proj_bias"]
  private static let embeddingParts: Set<String> = ["positional_embedding", "class_embedding"]

  /// Whether a parameter of this name and shape decays.
  public func decays(_ name: String, _ shape: [Int]) -> Bool {
    let parts = name.split(separator: ".").map(String.init)
    guard let last = parts.last, shape.count > 1 else { return false }
    if last == "logit_scale" || Self.biasParts.contains(last) { return false }
    if parts.contains(where: { Self.normParts.contains($0) || $0.hasPrefix("bn") }) { return false }
    return self == .openClip3 || !Self.embeddingParts.contains(last)
  }
}
