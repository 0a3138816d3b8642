import ContentHashing
import DurableFiles
public import PairDataset
import PipelineCore
import SeededRandom

/// How shards are cut anew.
public struct ReshardOptions: Sendable {
  /// Pairs of a shard; nil is no bound.
  public var maxPairs: Int?
  /// Bytes of a shard's tar; nil is no bound.
  public var maxBytes: Int?
  public var compression: ShardCompression
  /// Seed of an order over all pairs; nil keeps theirs.
  public var shuffleSeed: UInt64?

  public init(
    maxPairs: Int? = nil, maxBytes: Int? = nil, compression: ShardCompression = .lz4,
    shuffleSeed: UInt64? = nil
  ) {
    self.maxPairs = maxPairs
    self.maxBytes = maxBytes
    self.compression = compression
    self.shuffleSeed = shuffleSeed
  }
}

/// What came of it.
public struct ReshardOutcome: Sendable, Equatable {
  public var shards: [ShardSummary] = []
  /// Pairs that were read.
  public var read = 0
  /// Pairs that had to be given another key: their shard has one of the same.
  public var renamed = 0
  /// Uids of the list that no pair has, sorted.
  public var missing: [String] = []
  /// Why no tables were taken along, where some shards have them.
  public var withoutTables: String?

  public var pairs: Int { shards.reduce(0) { $0 + $1.pairs } }
}

/// Why shards are not cut anew.
public enum ReshardError: Error, Sendable, Equatable, CustomStringConvertible {
  case outputExists(String)
  case nothingKept
  case tableLacksPair(table: String, key: String)

  public var description: String {
    switch self {
    case .outputExists(let path):
      "\(path): there is something already. Name a folder that is new or empty."
    case .nothingKept: "no pair is left, so nothing is written: do the ids belong to these shards?"
    case .tableLacksPair(let table, let key):
      "\(table): there is no row for pair \(key) of the shard beside it. Make the table again"
        + " (pairloom verify --repair), or move it away: shards without tables are taken as they are."
    }
  }
}

/// Copies the samples of shards into others, byte for byte: by count, by bytes, or only those of a list.
///
/// Everything is written to `OUT.part`, which becomes `OUT` in one step at the end; what an
/// interrupted run has left there is cleared. The same shards and options give the same bytes. The rows of
/// tables beside the shards are taken along. Memory: a sample, the index of a shard, the table rows of
/// two; with a seed the indexes of all shards and 24 bytes a pair.
public enum Resharder {
  /// - Parameters:
  ///   - shards: In order; Pairloom's or any WebDataset's.
  ///   - out: A folder that is new or empty.
  ///   - options: How they are cut.
  ///   - ids: The uids to keep; nil keeps all. A pair of a foreign shard goes by its JSON's uid, else by
  ///     URL and caption, else by picture and caption.
  ///   - onProgress: Told the pairs read and kept so far.
  /// - Returns: What was written.
  /// - Throws: ``ReshardError``, what is wrong with a shard, what the disk refuses.
  public static func reshard(
    _ shards: [String], to out: String, options: ReshardOptions, ids: UIDList? = nil,
    onProgress: (_ read: Int, _ kept: Int) throws -> Void = { _, _ in }
  ) throws -> ReshardOutcome {
    guard try DurableFile.names(in: out).isEmpty else { throw ReshardError.outputExists(out) }
    let part = out + ".part"
    for name in try DurableFile.names(in: part) { try DurableFile.remove("\(part)/\(name)") }
    try DurableFile.makeFolder(part)
    let (tables, why) = try CarriedTables.make(for: shards, into: part)
    var work = Work(
      writer: RollingShardWriter(
        folder: part, compression: options.compression, maxPairs: options.maxPairs,
        maxBytes: options.maxBytes),
      tables: options.shuffleSeed == nil ? tables : nil, ids: ids)
    work.outcome.withoutTables =
      options.shuffleSeed != nil && tables != nil ? "with --shuffle no table is taken along" : why
    if let seed = options.shuffleSeed {
      let readers = try shards.map { try ShardReader(path: $0) }
      let places = readers.enumerated().flatMap { number, reader in
        (0..<reader.count).map { (shard: number, pair: $0) }
      }
      var random = RandomStream(seed: seed)
      for number in random.permutation(of: places.count) {
        let place = places[number]
        try work.take(try readers[place.shard].sample(at: place.pair), of: shards[place.shard])
        try onProgress(work.outcome.read, work.kept)
      }
    } else {
      for path in shards {
        try work.tables?.open(path)
        try ShardReader(path: path).forEachSample { sample in
          try work.take(sample, of: path)
          try onProgress(work.outcome.read, work.kept)
        }
      }
    }
    try work.finish()
    guard work.outcome.pairs > 0 else {
      try clear(part)
      throw ReshardError.nothingKept
    }
    try publish(work.outcome, from: shards, options, part: part)
    try DurableFile.makeFolder(out)
    try DurableFile.move(part, to: out)
    return work.outcome
  }

  private static func clear(_ folder: String) throws {
    for name in try DurableFile.names(in: folder) { try DurableFile.remove("\(folder)/\(name)") }
    try DurableFile.removeFolder(folder)
  }

  /// A shard's number as file names show it.
  static func digits(_ number: Int) -> String { RunFolder.digits(number) }

  private static func publish(
    _ outcome: ReshardOutcome, from shards: [String], _ options: ReshardOptions, part: String
  ) throws {
    // open_clip looks here for the pairs of each shard.
    try DurableFile.write(SizesFiles.text(outcome.shards), to: "\(part)/sizes.json")
    // No path: the same shards elsewhere are the same.
    let recipe =
      ["reshard", "\(options.maxPairs ?? 0)", "\(options.maxBytes ?? 0)"]
      + [options.compression.rawValue, options.shuffleSeed.map { "\($0)" } ?? "in order"]
      + shards.map { String($0.split(separator: "/").last ?? "") }
    try DatasetManifest(
      shards: outcome.shards,
      recipeSHA256: ContentHash.sha256Hex(Array(recipe.joined(separator: "\n").utf8)),
      funnel: [
        .init(stage: "read", pairs: outcome.read), .init(stage: "kept", pairs: outcome.pairs),
      ]
    ).write(to: "\(part)/dataset.json")
  }

  /// The shards in the making.
  private struct Work {
    let writer: RollingShardWriter
    var tables: CarriedTables?
    var ids: UIDList?
    var outcome = ReshardOutcome()
    var kept = 0
    /// The keys of the shard that is written.
    private var used: Set<String> = []
    private var number = -1

    init(writer: RollingShardWriter, tables: CarriedTables?, ids: UIDList?) {
      self.writer = writer
      self.tables = tables
      self.ids = ids
    }

    mutating func take(_ sample: ShardSample, of shard: String) throws {
      outcome.read += 1
      if ids != nil {
        guard ids?.take(PairIdentity.uid(of: sample)) == true else { return }
      }
      var copy = sample
      var copies = 1
      while used.contains(copy.key) {
        copy.key = "\(sample.key)-\(copies)"
        copies += 1
      }
      if copies > 1 { outcome.renamed += 1 }
      let place = try writer.append(copy)
      if place != number { used = [] }
      number = place
      used.insert(copy.key)
      kept += 1
      try tables?.take(sample.key, as: copy.key, to: place, of: shard)
    }

    mutating func finish() throws {
      outcome.shards = try writer.finish()
      try tables?.publish()
      outcome.missing = ids?.missing ?? []
    }
  }
}

extension PairIdentity {
  /// The name of a sample, as that of the pair in it.
  static func uid(of sample: ShardSample) -> String {
    uid(
      of: Pair(
        key: sample.key, caption: String(decoding: sample.data("txt") ?? [], as: UTF8.self),
        image: sample.picture?.data ?? [], metadata: sample.data("json") ?? []))
  }
}
