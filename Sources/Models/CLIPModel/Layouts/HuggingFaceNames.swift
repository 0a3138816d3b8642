/// The names of weights in Hugging Face's library beside ours.
///
/// Source: `CLIPModel` in `modeling_clip.py` of transformers 4 and 5.
enum HuggingFaceNames {
  /// Names outside of blocks; a transposed one is an `nn.Linear` where ours is a plain matrix.
  static let single: [(ours: String, theirs: String, isTransposed: Bool)] = [
    ("logit_scale", "logit_scale", false),
    ("visual.class_embedding", "vision_model.embeddings.class_embedding", false),
    ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", false),
    ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", false),
    // Misspelled there.
    ("visual.ln_pre.weight", "vision_model.pre_layrnorm.weight", false),
    ("visual.ln_pre.bias", "vision_model.pre_layrnorm.bias", false),
    ("visual.ln_post.weight", "vision_model.post_layernorm.weight", false),
    ("visual.ln_post.bias", "vision_model.post_layernorm.bias", false),
    ("visual.proj", "visual_projection.weight", true),
    ("token_embedding.weight", "text_model.embeddings.token_embedding.weight", false),
    ("positional_embedding", "text_model.embeddings.position_embedding.weight", false),
    ("ln_final.weight", "text_model.final_layer_norm.weight", false),
    ("ln_final.bias", "text_model.final_layer_norm.bias", false),
    ("text_projection", "text_projection.weight", true),
  ]

  /// What stands before a block's number.
  static let towers = [
    (ours: "visual.transformer.resblocks.", theirs: "vision_model.encoder.layers."),
    (ours: "transformer.resblocks.", theirs: "text_model.encoder.layers."),
  ]

  /// What stands behind it; both are `[out, in]`.
  static let block = [
    (ours: "attn.out_proj.weight", theirs: "self_attn.out_proj.weight"),
    (ours: "attn.out_proj.bias", theirs: "self_attn.out_proj.bias"),
    (ours: "ln_1.weight", theirs: "layer_norm1.weight"),
    (ours: "ln_1.bias", theirs: "layer_norm1.bias"),
    (ours: "ln_2.weight", theirs: "layer_norm2.weight"),
    (ours: "ln_2.bias", theirs: "layer_norm2.bias"),
    (ours: "mlp.c_fc.weight", theirs: "mlp.fc1.weight"),
    (ours: "mlp.c_fc.bias", theirs: "mlp.fc1.bias"),
    (ours: "mlp.c_proj.weight", theirs: "mlp.fc2.weight"),
    (ours: "mlp.c_proj.bias", theirs: "mlp.fc2.bias"),
  ]

  /// One matrix of ours, three of theirs, one below the other.
  static let attention = ["weight", "bias"].map { kind in
    (ours: "attn.in_proj_\(kind)", theirs: ["q", "k", "v"].map { "self_attn.\($0)_proj.\(kind)" })
  }

  /// Splits `text.encoder.layers.3.mlp…` into a tower of ``towers``, the number and the rest.
  static func blockName(
    _ name: String, prefix: String
  ) -> (number: Substring, rest: String)? {
    guard name.hasPrefix(prefix) else { return nil }
    let tail = name.dropFirst(prefix.count)
    guard let dot = tail.firstIndex(of: ".") else { return nil }
    return (tail[..<dot], String(tail[tail.index(after: dot)...]))
  }

  /// Whether a weight of ours has a place there.
  static func hasName(for name: String) -> Bool {
    single.contains { $0.ours == name }
      || towers.contains { tower in
        guard let rest = blockName(name, prefix: tower.ours)?.rest else { return false }
        return block.contains { $0.ours == rest } || attention.contains { $0.ours == rest }
      }
  }
}
