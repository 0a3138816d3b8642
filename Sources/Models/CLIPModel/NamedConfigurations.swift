extension CLIPConfiguration {
  /// A configuration of open_clip by its name, such as `ViT-B-32` or `ViT-B-32-quickgelu`.
  public static func named(_ name: String) -> CLIPConfiguration? {
    let suffix = "-quickgelu"
    let isQuick = name.hasSuffix(suffix)
    let base = isQuick ? String(name.dropLast(suffix.count)) : name
    guard let row = rows.first(where: { $0.name == base }) else { return nil }
    return CLIPConfiguration(
      embedDim: row.embed,
      vision: Vision(
        imageSize: row.image, layers: row.vision.layers, width: row.vision.width,
        patchSize: row.patch, headWidth: row.vision.headWidth, mlpRatio: row.vision.mlpRatio),
      text: Text(width: row.text.width, heads: row.text.heads, layers: row.text.layers),
      quickGELU: isQuick)
  }

  /// The names that ``named(_:)`` knows, each also with `-quickgelu` behind it.
  public static var names: [String] { rows.map(\.name) }

  private typealias VisionTower = (width: Int, layers: Int, headWidth: Int, mlpRatio: Double)
  private typealias TextTower = (width: Int, heads: Int, layers: Int)
  private typealias Row = (
    name: String, embed: Int, image: Int, patch: Int, vision: VisionTower, text: TextTower
  )

  // open_clip 3.3.0, model_configs/*.json. Context length 77 and 49,408 ids everywhere.
  private static let rows: [Row] = [
    ("ViT-S-32-alt", 256, 224, 32, small, (256, 4, 10)),
    ("ViT-S-32", 384, 224, 32, small, (384, 6, 12)),
    ("ViT-S-16-alt", 256, 224, 16, small, (256, 4, 10)),
    ("ViT-S-16", 384, 224, 16, small, (384, 6, 12)),
    ("ViT-M-32-alt", 384, 224, 32, medium, (384, 6, 12)),
    ("ViT-M-32", 512, 224, 32, medium, (512, 8, 12)),
    ("ViT-M-16", 512, 224, 16, medium, (512, 8, 12)),
    ("ViT-B-32", 512, 224, 32, base, (512, 8, 12)),
    ("ViT-B-32-256", 512, 256, 32, base, (512, 8, 12)),
    ("ViT-B-32-plus-256", 640, 256, 32, basePlus, (640, 10, 12)),
    ("ViT-B-16", 512, 224, 16, base, (512, 8, 12)),
    ("ViT-B-16-plus", 640, 224, 16, basePlus, (640, 10, 12)),
    ("ViT-B-16-plus-240", 640, 240, 16, basePlus, (640, 10, 12)),
    ("ViT-L-16", 768, 224, 16, large, (768, 12, 12)),
    ("ViT-L-14", 768, 224, 14, large, (768, 12, 12)),
    ("ViT-L-14-280", 768, 280, 14, large, (768, 12, 12)),
    ("ViT-L-14-336", 768, 336, 14, large, (768, 12, 12)),
    ("ViT-H-14", 1024, 224, 14, (1280, 32, 80, 4), (1024, 16, 24)),
    ("ViT-g-14", 1024, 224, 14, (1408, 40, 88, 4.3637), (1024, 16, 24)),
    ("ViT-bigG-14", 1280, 224, 14, (1664, 48, 104, 4.9231), (1280, 20, 32)),
  ]
  private static let small: VisionTower = (384, 12, 64, 4)
  private static let medium: VisionTower = (512, 12, 64, 4)
  private static let base: VisionTower = (768, 12, 64, 4)
  private static let basePlus: VisionTower = (896, 12, 64, 4)
  private static let large: VisionTower = (1024, 24, 64, 4)
}
