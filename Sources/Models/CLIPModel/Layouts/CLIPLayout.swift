/// The ways in which the weights of a CLIP are named.
public enum CLIPLayout: String, Sendable, CaseIterable {
  /// OpenAI's and open_clip's names, which are ours.
  case openCLIP = "open_clip"
  /// open_clip's CustomTextCLIP: the same with `text.` before those of the text tower.
  case customText = "open_clip, CustomTextCLIP"
  /// `CLIPModel` of the transformers library.
  case huggingFace = "Hugging Face"

  /// Tells the layout by the names.
  ///
  /// - Throws: ``CLIPError`` that says what else the weights are.
  init(names: Set<String>, file: String) throws(CLIPError) {
    func holds(_ prefix: String) -> Bool { names.contains { $0.hasPrefix(prefix) } }
    if let other = Self.unsupported(names, holds) {
      throw CLIPError(.unsupported(other), file: file)
    }
    let patches = "vision_model.embeddings.patch_embedding.weight"
    if names.contains(patches), names.contains("text_projection.weight") {
      self = .huggingFace
    } else if names.contains("visual.conv1.weight"), names.contains("token_embedding.weight") {
      self = .openCLIP
    } else if names.contains("visual.conv1.weight"), names.contains("text.token_embedding.weight") {
      self = .customText
    } else {
      let shown = names.sorted().prefix(4).joined(separator: ", ")
      let half =
        names.contains("visual.conv1.weight") || names.contains(patches)
        ? "an image tower without its text tower"
        : holds("text_model.") || names.contains("token_embedding.weight")
          ? "a text tower without its image tower" : "no CLIP that is known here"
      throw CLIPError(.unsupported("\(half) (\(shown), …)"), file: file)
    }
  }

  private static func unsupported(_ names: Set<String>, _ holds: (String) -> Bool) -> String? {
    if names.contains("logit_bias") || holds("visual.trunk.attn_pool")
      || holds("vision_model.head.")
    {
      return "SigLIP (a sigmoid loss with a bias, its own tokenizer and attention pooling)"
    }
    if holds("text_decoder.") || names.contains("text.cls_emb") { return "CoCa" }
    if holds("visual.trunk.") { return "a CLIP with an image tower of timm" }
    if holds("visual.blocks.") { return "EVA-CLIP" }
    if holds("text.transformer.embeddings.") || holds("text.transformer.encoder.") {
      return "a CLIP with a text tower of Hugging Face's (such as XLM-RoBERTa)"
    }
    if names.contains("visual.attn_pool.query") { return "a CLIP that pools by attention" }
    return nil
  }
}
