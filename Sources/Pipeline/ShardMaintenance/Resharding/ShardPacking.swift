import DurableFiles
package import PairDataset

/// Copies samples into numbered shards, byte for byte, with the rows of the tables beside theirs.
///
/// Memory: a sample, and the table rows of the shard that is read and of the one that is written.
package struct ShardPacking {
  private let folder: String
  private let writer: RollingShardWriter
  private var tables: CarriedTables?
  /// Why no tables are taken along, where some shards have them.
  package let withoutTables: String?
  /// Samples that were given another key: their new shard had one of the same.
  package private(set) var renamed = 0
  /// Samples taken so far.
  package private(set) var pairs = 0
  /// The keys of the shard that is written.
  private var used: Set<String> = []
  private var number = -1

  /// - Parameters:
  ///   - shards: All that samples will be taken from.
  ///   - folder: Where they go; must be there.
  ///   - options: How they are cut.
  /// - Throws: What is wrong with a table.
  package init(_ shards: [String], into folder: String, _ options: ReshardOptions) throws {
    self.folder = folder
    writer = RollingShardWriter(
      folder: folder, compression: options.compression, maxPairs: options.maxPairs,
      maxBytes: options.maxBytes)
    let (tables, why) = try CarriedTables.make(for: shards, into: folder)
    self.tables = options.shuffleSeed == nil ? tables : nil
    withoutTables =
      options.shuffleSeed != nil && tables != nil ? "with --shuffle no table is taken along" : why
  }

  /// Turns to the next shard that is read.
  package mutating func open(_ shard: String) throws { try tables?.open(shard) }

  /// Adds a sample of `shard`.
  ///
  /// - Returns: The number of its new shard, and its key there.
  @discardableResult
  package mutating func take(
    _ sample: ShardSample, of shard: String
  ) throws -> (shard: Int, key: String) {
    var copy = sample
    var copies = 1
    while used.contains(copy.key) {
      copy.key = "\(sample.key)-\(copies)"
      copies += 1
    }
    if copies > 1 { renamed += 1 }
    let place = try writer.append(copy)
    if place != number { used = [] }
    number = place
    used.insert(copy.key)
    pairs += 1
    try tables?.take(sample.key, as: copy.key, to: place, of: shard)
    return (place, copy.key)
  }

  /// Publishes the last shard and its table.
  package mutating func finish() throws -> [ShardSummary] {
    let shards = try writer.finish()
    try tables?.publish()
    return shards
  }

  /// Writes `dataset.json`, and `sizes.json` for open_clip, after ``finish()``.
  package func describe(read: Int, recipeSHA256: String) throws {
    let shards = writer.published
    // open_clip looks here for the pairs of each shard.
    try DurableFile.write(SizesFiles.text(shards), to: "\(folder)/sizes.json")
    try DatasetManifest(
      shards: shards, recipeSHA256: recipeSHA256,
      funnel: [.init(stage: "read", pairs: read), .init(stage: "kept", pairs: pairs)]
    ).write(to: "\(folder)/dataset.json")
  }
}
