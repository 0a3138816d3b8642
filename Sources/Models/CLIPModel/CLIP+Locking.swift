import Autograd
import NeuralNetworks

extension CLIP {
  /// Freezes the image tower but for its last groups, as LiT does with all (arXiv:2111.07991).
  ///
  /// The groups of a transformer, first to last: the embeddings and the norm behind them; each block, the last
  /// together with the norm behind it; the projection. A ResNet is frozen as a whole.
  ///
  /// - Parameter unlockedGroups: How many of the last stay as they are.
  /// - Source: open_clip's `lock_image_tower`.
  public func lockImageTower(unlockedGroups: Int = 0) {
    let last = configuration.vision.layers - 1
    let blocks = "visual.transformer.resblocks."
    var groups = [
      ["visual.conv1.", "visual.class_embedding", "visual.positional_embedding", "visual.ln_pre."]
    ]
    groups += (0..<max(0, last)).map { ["\(blocks)\($0)."] }
    groups += [["\(blocks)\(last).", "visual.ln_post."], ["visual.proj"]]
    precondition(
      unlockedGroups == 0 || !configuration.vision.isResNet, "CLIP: a ResNet has no groups")
    lock(groups, unlocked: unlockedGroups) { $0.hasPrefix("visual.") }
  }

  /// Freezes the text tower but for its last groups; they are those of ``lockImageTower(unlockedGroups:)``.
  ///
  /// - Parameter unlockedLayers: How many of the last groups stay as they are.
  /// - Source: open_clip's `lock_text_tower`.
  public func lockTextTower(unlockedLayers: Int = 0) {
    let last = configuration.text.layers - 1
    let blocks = "transformer.resblocks."
    var groups = [["token_embedding.", "positional_embedding"]]
    groups += (0..<max(0, last)).map { ["\(blocks)\($0)."] }
    groups += [["\(blocks)\(last).", "ln_final."], ["text_projection"]]
    lock(groups, unlocked: unlockedLayers) {
      !$0.hasPrefix("visual.") && !$0.hasPrefix("logit_")
    }
  }

  private func lock(_ groups: [[String]], unlocked: Int, _ isOfTower: (String) -> Bool) {
    let free = groups.suffix(unlocked).joined()
    for (name, variable) in parameters
    where isOfTower(name) && !free.contains(where: name.hasPrefix) {
      variable.freeze()
    }
  }
}
