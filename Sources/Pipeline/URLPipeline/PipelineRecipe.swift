import ContentHashing
public import DecodeStage
public import Deduplication
public import DownloadStage
import DurableFiles
public import FilterStage
public import IngestStage
public import PipelineCore
public import ShardStage

/// The options of a run from a list of URLs; `Pipelines/urls.yaml` names them all.
public struct PipelineRecipe: Sendable {
  public var ingest: IngestOptions
  public var download: DownloadOptions
  public var decode: DecodeOptions
  public var deduplicate: DuplicateRules
  public var shard: ShardOptions
  public var filter: FilterRule
  /// What the names of a plan mean.
  public var filterColumns: FilterColumns
  /// The scorer's weights; the caller makes the scorer.
  public var model: String?
  /// A configuration's name or JSON file.
  public var modelConfig: String?
  /// Of weights that do not say it: quick-gelu or gelu.
  public var modelActivation: String?
  /// What the model computes in.
  public var modelPrecision: ModelPrecision
  /// Tables with scores that were made elsewhere, in place of a model; the caller makes the scorer.
  public var scores: [String]
  /// The column of theirs that counts; nil for `score`, or the only one.
  public var scoreColumn: String?
  /// Per worker; 0 for the cores divided by the workers.
  public var decodeThreads: Int
  /// Chunks that may be downloaded and not yet sharded, which bounds the disk they take.
  public var chunksInFlight: Int
  /// Failures after which a chunk is quarantined.
  public var chunkAttempts: Int
  /// The big files that stay when they have been worked on, for a stage to be done again.
  public var keep: Set<Intermediate>

  /// Chunks whose downloads run at a time: enough to hide the slowest rows of each, bounded by the
  /// memory that their rows take.
  var downloadsAtOnce: Int {
    min(chunksInFlight, max(2, Self.rowsInFlight / ingest.chunkRows))
  }

  private static let rowsInFlight = 32_000

  /// Whether all decoded pictures wait on the disk for the last, as deduplication goes by all of them.
  public var needsAllPictures: Bool { deduplicate.needsAll }

  /// The stage that writes the chunks' shards and their tables.
  public var shardStage: ShardStage {
    ShardStage(options: shard, rowsPerShard: ingest.chunkRows, hasEXIF: decode.extractEXIF)
  }

  /// How the final shards are cut: filtered ones are as long as a chunk where nothing is said.
  var packing: ShardPacking {
    let isBounded = shard.pairsPerShard != nil || shard.bytesPerShard != nil
    return ShardPacking(
      compression: shard.compression,
      maxPairs: isBounded || filter == .none ? shard.pairsPerShard : ingest.chunkRows,
      maxBytes: shard.bytesPerShard)
  }

  /// Every option's value in force, in the order of the recipe.
  public let resolved: [(key: String, value: String)]
  /// The options that change the pace of a run and nothing else.
  public let tuning: Set<String>
  /// The stage that each option belongs to.
  private let stages: [String: StageName]

  /// Reads a recipe file and lays `overrides`, each `key=value`, over it.
  public static func load(yaml path: String, overrides: [String] = []) throws -> PipelineRecipe {
    let text: String
    do {
      text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    } catch {
      throw RecipeError.unreadable(path: path, problem: "\(error)")
    }
    return try PipelineRecipe(yaml: text, path: path, overrides: overrides)
  }

  /// Reads a recipe's text; `path` names it in errors.
  public init(yaml text: String, path: String, overrides: [String] = []) throws(RecipeError) {
    var reader = try RecipeReader(
      yaml: text, path: path, overrides: overrides, synonyms: Img2datasetNames.all)
    ingest = try IngestOptions(from: &reader)
    reader.stage = .download
    download = try DownloadOptions(from: &reader, hasHashes: ingest.hashColumn != nil)
    reader.stage = .decode
    decode = try DecodeOptions(from: &reader)
    reader.stage = .deduplicate
    deduplicate = try DuplicateRules(from: &reader)
    ingest.neededColumns = [decode.bboxColumn, deduplicate.bestColumn].compactMap { $0 }
    reader.stage = .shard
    shard = try ShardOptions(from: &reader)
    reader.stage = .score
    model = try reader.string("model")
    modelConfig = try reader.string("model_config")
    modelActivation = try reader.string("model_activation")
    modelPrecision = try reader.choice("model_precision", default: .float32)
    scores = try reader.list("scores")
    scoreColumn = try reader.string("score_column")
    if model?.isEmpty == false, !scores.isEmpty {
      throw .badValue(
        key: "scores", value: scores.joined(separator: ", "),
        expected: "scores out of tables or by a model; set the other to null")
    }
    reader.stage = .filter
    filter = try FilterRule(from: &reader, yaml: text, path: path)
    if modelPrecision == .int8 {
      try Self.requireCut(filter, hasTables: !scores.isEmpty, hasModel: model?.isEmpty == false)
    }
    filterColumns = try FilterColumns(from: &reader)
    if let scoreColumn, filterColumns.meant[scoreColumn] == nil {
      // A plan may go by the tables' own name for what is the run's score.
      filterColumns.meant[scoreColumn] = "score"
    }
    decodeThreads = try reader.int("decode_threads", default: 0, in: 0...1_024, tuning: true)
    chunksInFlight = try reader.int("chunks_in_flight", default: 32, in: 1...100_000, tuning: true)
    chunkAttempts = try reader.int("chunk_attempts", default: 4, in: 1...1_000, tuning: true)
    keep = try reader.choices("keep", tuning: true)
    try reader.finish()
    if ingest.input.isEmpty {
      throw .missing(key: "input", hint: "name the list with --set input=FILE.")
    }
    resolved = reader.resolved
    tuning = reader.tuning
    stages = reader.stages
  }

  /// Refuses scores of bytes where nothing sees to what lies near a cut.
  private static func requireCut(
    _ filter: FilterRule, hasTables: Bool, hasModel: Bool
  ) throws(RecipeError) {
    let expected: String
    if hasTables {
      expected = "float32 where scores come out of tables: their own say what they were computed in"
    } else if !hasModel {
      expected = "float32, or a model; name the weights with --set model=FILE"
    } else if case .plan = filter {
      expected =
        "float32 with filter.plan or filter.rules: a plan may go by scores in any way, and only one cut"
        + " of all (filter.min_score, filter.top_fraction) is known to decide as exact scores would"
    } else if filter == .none {
      expected =
        "float32, or a cut by filter.min_score or filter.top_fraction: scores of bytes are for decisions"
        + " alone, and what lies near the cut is scored again"
    } else {
      return
    }
    throw .badValue(key: "model_precision", value: "int8", expected: expected)
  }

  /// What a run must keep to be resumed: all options but those of pace, and the list itself.
  ///
  /// Files go by the last part of their path, so that a folder may move; the list and the lists of
  /// hosts and hashes go by their content, too.
  ///
  /// - Parameters:
  ///   - limit: Rows taken of the list; nil for all.
  ///   - scorer: The scorer, whose provenance counts as options.
  /// - Returns: Keys and values, for the ledger.
  /// - Throws: ``RecipeError`` when a file is not there.
  public func fingerprint(limit: Int?, scorer: (any PairScorer)?) throws -> [(
    key: String, value: String
  )] {
    var pairs = try identity()
    pairs += try ListIdentity.describe(ingest)
    pairs.append(("limit", limit.map { String($0) } ?? "none"))
    return pairs + Self.fingerprint(of: scorer)
  }

  /// The options but those of pace, and the content of the files that they name.
  private func identity() throws(RecipeError) -> [(key: String, value: String)] {
    let settings = resolved.filter { !tuning.contains($0.key) }
    return settings.map { ($0.key, NamedFiles.identity($0.value, of: $0.key)) }
      + (try NamedFiles.contents(of: settings)) + filter.identity
  }

  /// The same for a run whose list is not read again.
  ///
  /// - Parameters:
  ///   - known: The run's fingerprint, which tells of the list and its limit.
  ///   - scorer: The scorer, whose provenance counts as options.
  /// - Returns: Keys and values in the order of ``fingerprint(limit:scorer:)``.
  /// - Throws: ``RecipeError`` when a file of hosts or hashes is not there.
  func fingerprint(
    list known: [(key: String, value: String)], scorer: (any PairScorer)?
  ) throws(RecipeError) -> [(key: String, value: String)] {
    let mine = Dictionary(
      uniqueKeysWithValues: try identity().map { ($0.key, $0.value) })
    let kept = known.filter { !Self.isOfScorer($0.key) }.map { key, value in
      guard key != "input", let new = mine[key] else { return (key: key, value: value) }
      // A scorer counts by its provenance, wherever its files lie now.
      let isScorer = ["model", "model_config"].contains(key)
      return (key: key, value: isScorer && value != "null" && new != "null" ? value : new)
    }
    return kept + Self.fingerprint(of: scorer)
  }

  private static func fingerprint(of scorer: (any PairScorer)?) -> [(key: String, value: String)] {
    guard let scorer else { return [] }
    return [("scorer", scorer.name)]
      + scorer.provenance.sorted { $0.key < $1.key }.map { ("scorer.\($0.key)", $0.value) }
  }

  /// The stage that a key of the fingerprint belongs to: the first that goes by it.
  ///
  /// What is unknown, such as an option of another version, belongs to the first of all.
  public func stage(of key: String) -> StageName {
    if Self.isOfScorer(key) { return .score }
    // The content of a file that an option names stands behind its key: "hash_blocklist (SHA-256)".
    return stages[key] ?? key.split(separator: " ").first.flatMap { stages[String($0)] } ?? .ingest
  }

  private static func isOfScorer(_ key: String) -> Bool {
    key == "scorer" || key.hasPrefix("scorer.")
  }

  /// SHA-256 over the fingerprint, a line each, in hexadecimal digits.
  static func sha256(of fingerprint: [(key: String, value: String)]) -> String {
    ContentHash.sha256Hex(Array(fingerprint.map { "\($0.key): \($0.value)\n" }.joined().utf8))
  }
}
