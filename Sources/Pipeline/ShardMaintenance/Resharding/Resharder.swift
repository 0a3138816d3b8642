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
  /// How many uids of the list no pair has.
  public var missing = 0
  /// The first of these, five at most, sorted.
  public var firstMissing: [String] = []
  /// Why no tables were taken along, where some shards have them.
  public var withoutTables: String?

  public var pairs: Int { shards.reduce(0) { $0 + $1.pairs } }
}

/// Why shards are not cut anew.
public enum ReshardError: Error, Sendable, Equatable, CustomStringConvertible {
  case outputExists(String)
  case inputInPart(input: String, part: String)
  case foreignPart(String)
  case nothingKept
  case tableLacksPair(table: String, key: String)

  public var description: String {
    switch self {
    case .outputExists(let path):
      "\(path): there is something already. Name a folder that is new or empty."
    case .inputInPart(let input, let part):
      "\(input): it lies in \(part), where the output grows and which is cleared. Name another --out."
    case .foreignPart(let path):
      "\(path): the output would grow here, and there is something that reshard has not made. Name"
        + " another --out, or move that away."
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
/// interrupted command has left there is cleared (``PartFolder``). The same shards and options give the same bytes. The rows of
/// tables beside the shards are taken along. Memory: a sample, the index of a shard, the table rows of
/// two; with a seed the indexes of all shards and 24 bytes a pair.
public enum Resharder {
  /// - Parameters:
  ///   - shards: In order; Pairloom's or any WebDataset's.
  ///   - out: A folder that is new or empty; slashes at its end do not count.
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
    let out = trimmed(out)
    guard try DurableFile.names(in: out).isEmpty else { throw ReshardError.outputExists(out) }
    let folder = try PartFolder(for: out, reading: shards)
    let part = folder.path
    let digest = try recipe(of: shards, options, ids)
    var ids = ids
    var read = 0
    var packing = try ShardPacking(shards, into: part, options)
    func take(_ sample: ShardSample, of shard: String) throws {
      read += 1
      let isWanted =
        ids == nil
        ? true
        : try sample.pair(of: shard).map { ids?.take(PairIdentity.uid(of: $0)) == true } ?? false
      if isWanted { try packing.take(sample, of: shard) }
      try onProgress(read, packing.pairs)
    }
    if let seed = options.shuffleSeed {
      let readers = try shards.map { try ShardReader(path: $0) }
      let places = readers.enumerated().flatMap { number, reader in
        (0..<reader.count).map { (shard: number, pair: $0) }
      }
      var random = RandomStream(seed: seed)
      for number in random.permutation(of: places.count) {
        let place = places[number]
        try take(try readers[place.shard].sample(at: place.pair), of: shards[place.shard])
      }
    } else {
      for path in shards {
        try packing.open(path)
        try ShardReader(path: path).forEachSample { try take($0, of: path) }
      }
    }
    let written = try packing.finish()
    let outcome = ReshardOutcome(
      shards: written, read: read, renamed: packing.renamed, missing: ids?.missingCount ?? 0,
      firstMissing: ids?.firstMissing(5) ?? [], withoutTables: packing.withoutTables)
    guard outcome.pairs > 0 else {
      try folder.remove()
      throw ReshardError.nothingKept
    }
    try packing.describe(read: read, recipeSHA256: digest)
    try folder.publish(as: out)
    return outcome
  }

  /// A folder's path without slashes at its end.
  public static func trimmed(_ folder: String) -> String {
    var path = Substring(folder)
    while path.utf8.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }

  /// A shard's number as file names show it.
  static func digits(_ number: Int) -> String { RunFolder.digits(number) }

  /// The digest of what the output follows from.
  private static func recipe(
    of shards: [String], _ options: ReshardOptions, _ ids: UIDList?
  ) throws -> String {
    let recipe =
      ["reshard", "\(options.maxPairs ?? 0)", "\(options.maxBytes ?? 0)"]
      + [options.compression.rawValue, options.shuffleSeed.map { "\($0)" } ?? "in order"]
      + [ids?.sha256 ?? "all"]
      + (try OutputSettings.digests(of: shards))
    return ContentHash.sha256Hex(Array(recipe.joined(separator: "\n").utf8))
  }
}
