import DurableFiles
import IngestStage
import PipelineCore
import URLPipeline

/// The recipe by which a retry treats what heals: img2dataset's options as far as they can be told.
struct ImportRecipe {
  let recipe: PipelineRecipe
  /// What was taken for granted; nothing that the person has said.
  let assumed: [ImportSetting]
  /// The rows of a shard that the person has named.
  let rowsPerShard: Int?

  /// - Parameters:
  ///   - options: What the person has said.
  ///   - folder: That is imported.
  ///   - rows: Of a shard, where nothing else is said.
  ///   - facts: What the pictures tell; nil before they were looked at.
  /// - Throws: `RecipeError`, ``ImportError/badSetting(key:value:why:)``.
  init(_ options: ImportOptions, folder: String, rows: Int, facts: TreatmentFacts?) throws {
    var (yaml, path) = ("", folder)
    if let file = options.recipe {
      do {
        yaml = String(decoding: try DurableFile.read(file), as: UTF8.self)
      } catch {
        throw RecipeError.unreadable(path: file, problem: "\(error)")
      }
      path = file
    }
    let said = Said(
      try RecipeReader(
        yaml: yaml, path: path, overrides: options.settings, synonyms: Img2datasetNames.all))
    for (key, why) in Self.refused {
      guard let value = said.value(key) else { continue }
      throw ImportError.badSetting(key: key, value: value, why: why)
    }
    if let layout = said.value("layout"), layout != "img2dataset" {
      throw ImportError.badSetting(
        key: "layout", value: layout, why: "the shards are of img2dataset's layout, and stay so")
    }
    if options.settings.contains(where: { $0.hasPrefix("input=") || $0.hasPrefix("url_list=") }) {
      throw ImportError.badSetting(
        key: "input", value: "…", why: "the folder behind --from takes the list's place")
    }
    let format = said.value("encode_format") ?? facts?.encodeFormat
    let assumed = Self.assumed(rows: rows, facts, format: format).filter {
      said.value($0.key) == nil
    }
    recipe = try PipelineRecipe(
      yaml: yaml, path: path,
      overrides: ["input=\(folder)", "layout=img2dataset"]
        + assumed.map { "\($0.key)=\($0.value)" } + options.settings)
    self.assumed = assumed
    rowsPerShard = said.value("chunk_rows") == nil ? nil : recipe.ingest.chunkRows
  }

  private static let refused = [
    ("model", "an import scores nothing; score the run's shards with `pairloom score`"),
    ("filter.min_score", "an import filters nothing"),
    ("filter.top_fraction", "an import filters nothing"),
    ("filter.plan", "an import filters nothing; `pairloom filter` does, of its shards"),
    ("filter.rules", "an import filters nothing; `pairloom filter` does, of its shards"),
    ("filter.columns", "an import filters nothing; `pairloom filter` does, of its shards"),
  ]

  /// What somebody has said of a recipe's options.
  private struct Said {
    private let reader: RecipeReader

    init(_ reader: RecipeReader) { self.reader = reader }

    /// The value of an option; nil where nothing is said of it.
    func value(_ key: String) -> String? {
      var reader = reader
      do throws(RecipeError) {
        return try reader.string(key, default: nil)
      } catch {
        return "a list"
      }
    }
  }

  /// Options in force where nothing is said.
  private static func assumed(rows: Int, _ facts: TreatmentFacts?, format: String?)
    -> [ImportSetting]
  {
    let told = facts?.sizes ?? []
    // img2dataset 1.47, main.py.
    let usual: [(String, String)] =
      [
        ("image_size", "256"), ("resize_mode", "border"), ("resize_only_if_bigger", "false"),
        ("upscale_interpolation", "lanczos"), ("downscale_interpolation", "area"),
      ] + (["jpg", "webp", nil].contains(format) ? [("encode_quality", "95")] : [])
    return [
      ImportSetting("chunk_rows", String(rows), .tables),
      ImportSetting("compatibility", "img2dataset", .usual),
      ImportSetting(
        "extract_exif", facts?.hasEXIF == true ? "true" : "false", .tables),
      ImportSetting("encode_format", format ?? "jpg", format == nil ? .usual : .tables),
    ] + told
      + usual.filter { key, _ in !told.contains { $0.key == key } }
      .map { ImportSetting($0.0, $0.1, .usual) }
  }
}
