import Autograd

extension ContrastiveOptions {
  /// Reads `loss` (clip | siglip), `accumulate` (1), `patch_dropout` (0), `recompute` (false) and
  /// `activation_storage` (float32 | bfloat16) of a manifest.
  static func read(_ reader: ManifestReader) throws(ManifestError) -> ContrastiveOptions {
    var options = ContrastiveOptions()
    options.loss = try reader.choice("loss") ?? .clip
    options.microBatches = try reader.integer("accumulate", atLeast: 1) ?? 1
    options.patchDropout = try reader.number("patch_dropout", in: 0...0.999) ?? 0
    options.recomputesBlocks = try reader.flag("recompute") ?? false
    options.activationStorage = try reader.choice("activation_storage") ?? .float32
    return options
  }
}
