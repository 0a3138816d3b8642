extension CLIPConfiguration {
  /// A configuration of open_clip by its name, such as `ViT-B-32` or `ViT-B-32-quickgelu`.
  public static func named(_ name: String) -> CLIPConfiguration? {
    let suffix = "-quickgelu"
    let isQuick = name.hasSuffix(suffix)
    let base = isQuick ? String(name.dropLast(suffix.count)) : name
    guard let row = rows.first(where: { $0.name == base }) else { return nil }
    return CLIPConfiguration(
      embedDim: row.embed, vision: row.vision,
      text: Text(width: row.text.width, heads: row.text.heads, layers: row.text.layers),
      quickGELU: isQuick)
  }

  /// The names that ``named(_:)`` knows, each also with `-quickgelu` behind it.
  public static var names: [String] { rows.map(\.name) }

  private typealias TextTower = (width: Int, heads: Int, layers: Int)
  private typealias Row = (name: String, embed: Int, vision: Vision, text: TextTower)

  // open_clip 3.3.0, model_configs/*.json. Context length 77 and 49,408 ids everywhere.
  private static let rows: [Row] = [
    ("ViT-S-32-alt", 256, vit(224, 32, small), (256, 4, 10)),
    ("ViT-S-32", 384, vit(224, 32, small), (384, 6, 12)),
    ("ViT-S-16-alt", 256, vit(224, 16, small), (256, 4, 10)),
    ("ViT-S-16", 384, vit(224, 16, small), (384, 6, 12)),
    ("ViT-M-32-alt", 384, vit(224, 32, medium), (384, 6, 12)),
    ("ViT-M-32", 512, vit(224, 32, medium), (512, 8, 12)),
    ("ViT-M-16-alt", 384, vit(224, 16, medium, layerScale: 1e-4), (384, 6, 12)),
    ("ViT-M-16", 512, vit(224, 16, medium), (512, 8, 12)),
    ("ViT-B-32", 512, vit(224, 32, base), (512, 8, 12)),
    ("ViT-B-32-256", 512, vit(256, 32, base), (512, 8, 12)),
    ("ViT-B-32-plus-256", 640, vit(256, 32, basePlus), (640, 10, 12)),
    ("ViT-B-16", 512, vit(224, 16, base), (512, 8, 12)),
    ("ViT-B-16-plus", 640, vit(224, 16, basePlus), (640, 10, 12)),
    ("ViT-B-16-plus-240", 640, vit(240, 16, basePlus), (640, 10, 12)),
    ("ViT-L-16", 768, vit(224, 16, large), (768, 12, 12)),
    ("ViT-L-16-320", 768, vit(320, 16, large), (768, 12, 12)),
    ("ViT-L-14", 768, vit(224, 14, large), (768, 12, 12)),
    ("ViT-L-14-280", 768, vit(280, 14, large), (768, 12, 12)),
    ("ViT-L-14-336", 768, vit(336, 14, large), (768, 12, 12)),
    ("ViT-H-16", 1024, vit(224, 16, huge), (1024, 16, 24)),
    ("ViT-H-14", 1024, vit(224, 14, huge), (1024, 16, 24)),
    ("ViT-H-14-378", 1024, vit(378, 14, huge), (1024, 16, 24)),
    ("ViT-g-14", 1024, vit(224, 14, (1408, 40, 88, 4.3637)), (1024, 16, 24)),
    ("ViT-bigG-14", 1280, vit(224, 14, (1664, 48, 104, 4.9231)), (1280, 20, 32)),
    ("ViT-e-14", 1280, vit(224, 14, (1792, 56, 112, 8.5715)), (1280, 20, 36)),
    ("RN50", 1024, resNet(224, 64, [3, 4, 6, 3]), (512, 8, 12)),
    ("RN101", 512, resNet(224, 64, [3, 4, 23, 3]), (512, 8, 12)),
    ("RN50x4", 640, resNet(288, 80, [4, 6, 10, 6]), (640, 10, 12)),
    ("RN50x16", 768, resNet(384, 96, [6, 8, 18, 8]), (768, 12, 12)),
    ("RN50x64", 1024, resNet(448, 128, [3, 15, 36, 10]), (1024, 16, 12)),
  ]

  private typealias Sizes = (width: Int, layers: Int, headWidth: Int, mlpRatio: Double)
  private static let small: Sizes = (384, 12, 64, 4)
  private static let medium: Sizes = (512, 12, 64, 4)
  private static let base: Sizes = (768, 12, 64, 4)
  private static let basePlus: Sizes = (896, 12, 64, 4)
  private static let large: Sizes = (1024, 24, 64, 4)
  private static let huge: Sizes = (1280, 32, 80, 4)

  private static func vit(
    _ image: Int, _ patch: Int, _ sizes: Sizes, layerScale: Double? = nil
  ) -> Vision {
    Vision(
      imageSize: image, layers: sizes.layers, width: sizes.width, patchSize: patch,
      headWidth: sizes.headWidth, mlpRatio: sizes.mlpRatio, layerScale: layerScale)
  }

  private static func resNet(_ image: Int, _ width: Int, _ stages: [Int]) -> Vision {
    Vision(imageSize: image, width: width, stages: stages)
  }
}
