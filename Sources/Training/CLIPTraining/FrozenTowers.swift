import CLIPModel

/// The section `freeze` of a manifest: the parts of a model that keep their weights (LiT, arXiv:2111.07991).
///
/// Keys, with their defaults: `image`, `text` (false: the tower is trained), `image_unlocked_groups`,
/// `text_unlocked_layers` (0: how many of a frozen tower's last groups are trained), `image_statistics` (false: whether
/// a frozen ResNet's batch norms keep their statistics). As open_clip's `--lock-image`, `--lock-text`,
/// `--lock-image-unlocked-groups`, `--lock-text-unlocked-layers` and `--lock-image-freeze-bn-stats`.
public struct FrozenTowers: Sendable, Equatable {
  public var image = false
  public var text = false
  public var unlockedImageGroups = 0
  public var unlockedTextLayers = 0
  public var keepsStatistics = false

  public init() {}

  static func read(
    _ reader: ManifestReader, _ model: CLIPConfiguration
  ) throws(ManifestError) -> FrozenTowers {
    var towers = FrozenTowers()
    guard let section = try reader.section("freeze") else { return towers }
    towers.image = try section.flag("image") ?? false
    towers.text = try section.flag("text") ?? false
    let groups = try section.integer("image_unlocked_groups", atLeast: 0)
    let layers = try section.integer("text_unlocked_layers", atLeast: 0)
    let statistics = try section.flag("image_statistics")
    if !towers.image, groups != nil || statistics != nil {
      throw section.error("image", "is false, but more is said about a frozen image tower")
    }
    if !towers.text, layers != nil {
      throw section.error("text", "is false, but text_unlocked_layers is given")
    }
    if let groups, groups > 0, model.vision.isResNet {
      throw section.error("image_unlocked_groups", "a ResNet is frozen as a whole")
    }
    towers.unlockedImageGroups = groups ?? 0
    towers.unlockedTextLayers = layers ?? 0
    towers.keepsStatistics = statistics ?? false
    try section.finish()
    return towers
  }

  /// Freezes them in a model.
  func freeze(_ model: CLIP) {
    if image { model.lockImageTower(unlockedGroups: unlockedImageGroups) }
    if text { model.lockTextTower(unlockedLayers: unlockedTextLayers) }
  }
}
