public import PipelineCore

/// The options of img2dataset 1.47 and what becomes of each in a recipe.
///
/// Names that mean the same here are taken as they are, in the YAML and in `--set`. What the two
/// programs do differently stands in `difference`. What has no counterpart is refused with the name to
/// use instead, unless the value asks for what Pairloom does anyway.
public enum Img2datasetNames {
  /// In the order of img2dataset's own documentation.
  public static let all = RecipeSynonyms(
    program: "img2dataset", options: list + pictures + output + fetching + running)

  // Which rows are taken, and which of their columns.
  private static let list: [RecipeSynonym] = [
    .init(
      "url_list", default: "required", .sets("input"),
      difference: "a file, a folder or a glob; a folder may mix formats"),
    .init(
      "input_format", default: "txt",
      .sets("format", .words(formats)),
      difference: "without it each file goes by its own name; of a folder every list is taken"),
    .init(
      "url_col", default: "url", .sets("url_column"),
      difference: "without it `url` or `URL` is found by itself"),
    .init(
      "caption_col", default: "None", .sets("caption_column"),
      difference: "without it `caption`, `text`, `TEXT` or `alt` is found by itself"),
    .init(
      "bbox_col", default: "None",
      .sets("bbox_column"),
      difference: "a row whose boxes cannot be read is dropped, not shown"),
    .init(
      "save_additional_columns", default: "None", .acceptsAll,
      difference: "every other column is carried; one named like a field is called `list_NAME`"),
    .init(
      "verify_hash", default: "None", .sets("hash_column", .first),
      difference: "`[column, type]`: the type is told by the digits' number"),
    .init(
      "compute_hash", default: "sha256",
      .accepts(
        ["sha256"],
        otherwise: "the SHA-256 of the downloaded bytes is always kept, as `sha256`, and no other"
          + " hash. Leave it out.")),
  ]

  /// img2dataset names the compression with the format; here each file's name tells it.
  private static let formats = [
    "txt.gz": "txt", "csv.gz": "csv", "tsv.gz": "tsv", "json.gz": "json",
    "jsonl.gz": "jsonl",
  ]

  /// OpenCV's names for filters.
  private static let filters = ["linear": "bilinear", "cubic": "bicubic", "lanczos4": "lanczos"]

  // What pictures become, and which are refused.
  private static let pictures: [RecipeSynonym] = [
    .init("image_size", default: "256", .sets("image_size")),
    .init(
      "resize_mode", default: "border", .sets("resize_mode"),
      difference: "without it center_crop, which CLIP wants, and not border"),
    .init("resize_only_if_bigger", default: "False", .sets("resize_only_if_bigger")),
    .init(
      "upscale_interpolation", default: "lanczos",
      .sets("upscale_interpolation", .words(filters)),
      difference: "Pillow's filters by their names; lanczos has 6 taps and not 8"),
    .init(
      "downscale_interpolation", default: "area",
      .sets("downscale_interpolation", .words(filters)),
      difference: "Pillow's filters by their names, which pass over no pixel as OpenCV's do"),
    .init(
      "encode_quality", default: "95", .sets("encode_quality"),
      difference: "6 for png when nothing is said, where 95 was an error"),
    .init("encode_format", default: "jpg", .sets("encode_format")),
    .init(
      "skip_reencode", default: "False", .sets("skip_reencode"),
      difference: "only for bytes that decode cleanly: no damaged picture is shipped"),
    .init(
      "disable_all_reencoding", default: "False", .sets("disable_all_reencoding"),
      difference: "only for bytes that decode cleanly; the file's own extension, width and height"),
    .init("min_image_size", default: "0", .sets("min_image_size")),
    .init(
      "max_image_area", default: "inf", .sets("max_image_area", .unbounded),
      difference: "told by the header, before anything is decoded; 0 or inf keeps all"),
    .init(
      "max_aspect_ratio", default: "inf", .sets("max_aspect_ratio", .unbounded),
      difference: "told by the header, before anything is decoded; 0 or inf keeps all"),
    .init(
      "extract_exif", default: "True", .sets("extract_exif"),
      difference: "not when nothing is said: EXIF holds places and names of people"),
  ]

  // Where it goes and in which shape.
  private static let output: [RecipeSynonym] = [
    .init(
      "output_folder", default: "images",
      .refuses("name the folder on the command line: pairloom run RECIPE --folder DIR.")),
    .init(
      "output_format", default: "files",
      .accepts(
        ["webdataset"],
        otherwise: "the output is WebDataset shards. Say webdataset or leave it out; choose lz4 or"
          + " plain tar with compression=lz4 or compression=none."),
      difference: "shards are made when nothing is said"),
    .init(
      "number_sample_per_shard", default: "10000", .sets("chunk_rows"),
      difference: "rows of the list per shard, as there; 1000 when nothing is said"),
    .init(
      "oom_shard_count", default: "5",
      .accepts(
        ["5"],
        otherwise: "shards are numbered with five digits, and with more where there are more."
          + " Leave it out.")),
    .init(
      "incremental_mode", default: "incremental",
      .accepts(
        ["incremental"],
        otherwise: "a run resumes by itself. To overwrite, remove the folder; to extend, give the"
          + " new list a folder of its own; to ask again what failed, pairloom retry DIR.")),
  ]

  // How the web is asked.
  private static let fetching: [RecipeSynonym] = [
    .init(
      "thread_count", default: "256", .sets("download.concurrency"),
      difference: "transfers at a time in the whole process, and no threads; there per process"),
    .init(
      "timeout", default: "10", .sets("download.total_deadline"),
      difference: "seconds for a whole try, redirects included; there for each read of the socket,"
        + " so that a slow answer had no end"),
    .init(
      "retries", default: "0", .sets("download.attempts", .repetitions),
      difference: "n retries are n + 1 attempts, with pauses between them; only what may heal is"
        + " asked again, a refusal never"),
    .init(
      "user_agent_token", default: "None", .sets("download.agent_token"),
      difference: "the name by which robots.txt and X-Robots-Tag address you; download.user_agent"
        + " is the whole line that is sent"),
    .init(
      "disallowed_header_directives", default: "None",
      .sets(
        "disallowed_header_directives",
        .filled(otherwise: "policy=off obeys nothing, as the empty list did. Say that instead.")),
      difference: "only with policy=img2dataset; other profiles know what binds them",
      needs: .init(
        key: "policy", value: "img2dataset",
        advice: "the list counts only for policy=img2dataset: set that too. Without it"
          + " policy=strict obeys noai, noimageai and more; policy=off obeys nothing, as [] did.")),
    .init(
      "ignore_ssl_certificate", default: "False", .sets("download.verify_tls", .opposite),
      difference: "download.ca_file trusts one more authority, which is the better way"),
  ]

  // The machine, and what watches the run.
  private static let running: [RecipeSynonym] = [
    .init(
      "processes_count", default: "1",
      .refuses(
        "one process uses all cores. For more chunks at a time say --workers N on the command"
          + " line; for more decoding threads, decode_threads=N.")),
    .init(
      "distributor", default: "multiprocessing",
      .accepts(
        ["multiprocessing"],
        otherwise: "there is no Spark and no Ray in Pairloom. Say --workers N, and start the same"
          + " command again in other shells of this host: they share the folder's work.")),
    .init(
      "subjob_size", default: "1000",
      .refuses(
        "chunks are handed out one by one, without batches to wait for. Leave it out;"
          + " chunks_in_flight bounds what lies on the disk.")),
    .init(
      "max_shard_retry", default: "1", .sets("chunk_attempts", .repetitions),
      difference: "n retries are n + 1 attempts at a chunk that failed as a whole"),
    .init(
      "enable_wandb", default: "False",
      .accepts(
        ["False"],
        otherwise: "nothing is sent to Weights & Biases. Leave it out; pairloom status DIR --json"
          + " has the figures.")),
    .init(
      "wandb_project", default: "img2dataset",
      .refuses(
        "nothing is sent to Weights & Biases. Leave it out; pairloom status DIR --json has the"
          + " figures.")),
  ]
}
