import CrawlPolicy
import DownloadStage
import HTTPFetch
import PipelineCore
import Testing
import URLPipeline

/// Each of img2dataset's options, as one who comes from there would give it.
@Suite struct Img2datasetNamesTests {
  /// The parameters of `img2dataset.download`, version 1.47, with their defaults, in its order.
  static let signature: [(name: String, fallback: String)] = [
    ("url_list", "required"), ("image_size", "256"), ("output_folder", "images"),
    ("processes_count", "1"), ("resize_mode", "border"), ("resize_only_if_bigger", "False"),
    ("upscale_interpolation", "lanczos"), ("downscale_interpolation", "area"),
    ("encode_quality", "95"), ("encode_format", "jpg"), ("skip_reencode", "False"),
    ("output_format", "files"), ("input_format", "txt"), ("url_col", "url"),
    ("caption_col", "None"), ("bbox_col", "None"), ("thread_count", "256"),
    ("number_sample_per_shard", "10000"), ("extract_exif", "True"),
    ("save_additional_columns", "None"), ("timeout", "10"), ("enable_wandb", "False"),
    ("wandb_project", "img2dataset"), ("oom_shard_count", "5"), ("compute_hash", "sha256"),
    ("verify_hash", "None"), ("distributor", "multiprocessing"), ("subjob_size", "1000"),
    ("retries", "0"), ("disable_all_reencoding", "False"), ("min_image_size", "0"),
    ("max_image_area", "inf"), ("max_aspect_ratio", "inf"), ("incremental_mode", "incremental"),
    ("max_shard_retry", "1"), ("user_agent_token", "None"),
    ("disallowed_header_directives", "None"), ("ignore_ssl_certificate", "False"),
  ]

  @Test("the table has every option with its default, once")
  func isComplete() {
    let table = Img2datasetNames.all.options
    #expect(table.map(\.name).sorted() == Self.signature.map(\.name).sorted())
    for option in table {
      #expect(option.fallback == Self.signature.first { $0.name == option.name }?.fallback)
    }
  }

  static let working: [(name: String, given: String, key: String, value: [String])] = [
    ("url_list", "laion.parquet", "input", ["laion.parquet"]),
    ("input_format", "parquet", "format", ["parquet"]),
    ("input_format", "csv.gz", "format", ["csv"]),
    ("url_col", "URL", "url_column", ["URL"]),
    ("caption_col", "TEXT", "caption_column", ["TEXT"]),
    ("verify_hash", #"["md5","md5"]"#, "hash_column", ["md5"]),
    ("image_size", "512", "image_size", ["512"]),
    ("resize_mode", "keep_ratio_largest", "resize_mode", ["keep_ratio_largest"]),
    ("resize_only_if_bigger", "True", "resize_only_if_bigger", ["True"]),
    ("encode_quality", "90", "encode_quality", ["90"]),
    ("min_image_size", "64", "min_image_size", ["64"]),
    ("bbox_col", "faces", "bbox_column", ["faces"]),
    ("upscale_interpolation", "cubic", "upscale_interpolation", ["bicubic"]),
    ("upscale_interpolation", "lanczos4", "upscale_interpolation", ["lanczos"]),
    ("downscale_interpolation", "linear", "downscale_interpolation", ["bilinear"]),
    ("encode_format", "webp", "encode_format", ["webp"]),
    ("skip_reencode", "True", "skip_reencode", ["True"]),
    ("disable_all_reencoding", "True", "disable_all_reencoding", ["True"]),
    ("extract_exif", "True", "extract_exif", ["True"]),
    ("max_image_area", "inf", "max_image_area", ["0"]),
    ("max_image_area", "1e6", "max_image_area", ["1000000"]),
    ("max_aspect_ratio", "inf", "max_aspect_ratio", ["0"]),
    ("max_aspect_ratio", "2.5", "max_aspect_ratio", ["2.5"]),
    ("number_sample_per_shard", "10000", "chunk_rows", ["10000"]),
    ("thread_count", "64", "download.concurrency", ["64"]),
    ("timeout", "20", "download.total_deadline", ["20"]),
    // retries counts what follows the first try.
    ("retries", "2", "download.attempts", ["3"]),
    ("retries", "0", "download.attempts", ["1"]),
    ("max_shard_retry", "1", "chunk_attempts", ["2"]),
    ("user_agent_token", "mybot", "download.agent_token", ["mybot"]),
    ("ignore_ssl_certificate", "True", "download.verify_tls", ["false"]),
    ("ignore_ssl_certificate", "False", "download.verify_tls", ["true"]),
  ]

  @Test("an option that works sets its key", arguments: working)
  func works(name: String, given: String, key: String, value: [String]) throws {
    for (yaml, overrides) in [("", ["\(name)=\(given)"]), ("\(name): \(given)", [])] {
      var reader = try Self.reader(yaml, overrides)
      #expect(try reader.list(key) == value)
      try reader.finish()
    }
  }

  @Test("every key that an option sets is one that a recipe has", arguments: working)
  func isKnown(name: String, given: String, key: String, value: [String]) throws {
    let recipe = try PipelineRecipe(
      yaml: name == "url_list" ? "" : "input: list.csv", path: "r.yaml",
      overrides: ["\(name)=\(given)"])
    #expect(recipe.resolved.contains { $0.key == key })
  }

  @Test("disallowed_header_directives works for policy: img2dataset and nothing else")
  func directives() throws {
    let given = #"disallowed_header_directives=["noai", "noindex"]"#
    var reader = try Self.reader("policy: strict", [given, "policy=img2dataset"])
    #expect(try reader.list("disallowed_header_directives") == ["noai", "noindex"])
    #expect(try reader.string("policy") == "img2dataset")
    try reader.finish()
    let recipe = try PipelineRecipe(
      yaml: "input: list.csv", path: "r.yaml", overrides: [given, "policy=img2dataset"])
    #expect(recipe.download.fetch.policy.disallowedDirectives == ["noai", "noindex"])
    for overrides in [
      [given], [given, "policy=strict"], ["disallowed_header_directives=[]"],
      ["disallowed_header_directives=[]", "policy=img2dataset"],
    ] {
      do {
        _ = try Self.reader("", overrides)
        Issue.record("\(overrides) was accepted")
      } catch {
        #expect("\(error)".contains("policy=off"), "\(error)")
      }
    }
    _ = try Self.reader("", ["disallowed_header_directives=None"])
    // As it stands in a file that lists every option.
    _ = try Self.reader("policy: strict\ndisallowed_header_directives: []", [])
  }

  static let harmless: [(name: String, given: String)] = [
    ("bbox_col", "None"), ("save_additional_columns", #"["uid","license"]"#),
    ("compute_hash", "sha256"), ("upscale_interpolation", "lanczos4"),
    ("downscale_interpolation", "area"), ("encode_format", "jpg"), ("skip_reencode", "False"),
    ("skip_reencode", "false"), ("disable_all_reencoding", "False"), ("extract_exif", "False"),
    ("output_format", "webdataset"), ("oom_shard_count", "5"),
    ("incremental_mode", "incremental"), ("distributor", "multiprocessing"),
    ("enable_wandb", "False"), ("verify_hash", "None"), ("user_agent_token", "None"),
  ]

  @Test("a value that asks for what happens anyway is accepted", arguments: harmless)
  func accepts(name: String, given: String) throws {
    let recipe = try PipelineRecipe(
      yaml: "input: list.csv", path: "r.yaml", overrides: ["\(name)=\(given)"])
    let plain = try PipelineRecipe(yaml: "input: list.csv", path: "r.yaml")
    #expect(recipe.resolved.map(\.value).prefix(20) == plain.resolved.map(\.value).prefix(20))
  }

  /// What a user reads: the word that tells what to do.
  static let refused: [(name: String, given: String, words: [String])] = [
    ("output_folder", "out", ["--folder DIR"]), ("processes_count", "16", ["--workers N"]),
    ("output_format", "files", ["webdataset", "compression"]),
    ("output_format", "tfrecord", ["webdataset"]), ("oom_shard_count", "8", ["five digits"]),
    ("compute_hash", "md5", ["sha256"]), ("distributor", "pyspark", ["--workers N"]),
    ("distributor", "ray", ["--workers N"]), ("subjob_size", "500", ["chunks_in_flight"]),
    ("incremental_mode", "overwrite", ["pairloom retry", "remove the folder"]),
    ("incremental_mode", "extend", ["folder of its own"]),
    ("enable_wandb", "True", ["status DIR --json"]), ("wandb_project", "x", ["Weights & Biases"]),
  ]

  @Test("what has no counterpart is refused with what to do instead", arguments: refused)
  func refuses(name: String, given: String, words: [String]) throws {
    do {
      _ = try PipelineRecipe(
        yaml: "input: list.csv", path: "r.yaml", overrides: ["\(name)=\(given)"])
      Issue.record("\(name)=\(given) was accepted")
    } catch {
      #expect(error.description.hasPrefix("\(name) (img2dataset's option): "), "\(error)")
      for word in words { #expect(error.description.contains(word), "\(error)") }
    }
  }

  @Test("every option is tried by one of these tests")
  func allAreTried() {
    let tried =
      Set(Self.working.map(\.name)).union(Self.harmless.map(\.name)).union(Self.refused.map(\.name))
      .union(["disallowed_header_directives"])
    #expect(tried == Set(Self.signature.map(\.name)))
  }

  @Test("a whole command line of img2dataset makes a recipe")
  func commandLine() throws {
    let recipe = try PipelineRecipe(
      yaml: "input: null\nchunk_rows: 1000\nresize_mode: center_crop", path: "urls.yaml",
      overrides: [
        "url_list=list.csv", "image_size=512", "resize_mode=keep_ratio_largest",
        "resize_only_if_bigger=True", "number_sample_per_shard=10000", "thread_count=128",
        "retries=2", "output_format=webdataset", "save_additional_columns=[uid]",
        "enable_wandb=False", "encode_format=jpg", "max_aspect_ratio=3", "url_col=url",
      ])
    #expect(recipe.ingest.input == "list.csv")
    #expect(recipe.ingest.chunkRows == 10_000)
    #expect(recipe.decode.imageSize == 512)
    #expect(recipe.decode.resizeMode == .keepRatioLargest)
    #expect(recipe.decode.resizeOnlyIfBigger)
    #expect(recipe.decode.maxAspectRatio == 3)
    #expect(recipe.download.fetch.attempts == 3)
    #expect(recipe.download.fetch.concurrency == 128)
    // The same run under the other names: it may be resumed under either.
    let own = try PipelineRecipe(
      yaml: "", path: "urls.yaml",
      overrides: [
        "input=list.csv", "image_size=512", "resize_mode=keep_ratio_largest",
        "resize_only_if_bigger=true", "chunk_rows=10000", "download.concurrency=128",
        "download.attempts=3", "max_aspect_ratio=3", "url_column=url",
      ])
    #expect(recipe.resolved.map(\.key) == own.resolved.map(\.key))
    #expect(recipe.resolved.map(\.value) == own.resolved.map(\.value))
  }

  private static func reader(_ yaml: String, _ overrides: [String]) throws -> RecipeReader {
    try RecipeReader(
      yaml: yaml, path: "r.yaml", overrides: overrides, synonyms: Img2datasetNames.all)
  }
}
