import DurableFiles
import PerceptualHash
import PipelineCore

/// The table `duplicates.parquet`: every pair of the shards that were read, and what became of it.
struct FateTable {
  static let name = "duplicates.parquet"

  static let columns =
    [
      TableColumn("row", .int, isOptional: false), TableColumn("key", .text, isOptional: false),
      TableColumn("uid", .text, isOptional: false), TableColumn("shard", .text, isOptional: false),
      TableColumn("kept", .bool, isOptional: false),
    ] + Drop.columns + [
      TableColumn("of_key", .text), TableColumn("of_uid", .text), TableColumn("of_shard", .text),
      TableColumn("of_source", .text), TableColumn("distance", .int),
      TableColumn("difference", .int), TableColumn("note", .text), TableColumn("new_key", .text),
      TableColumn("new_shard", .text),
    ]

  /// The shards as the table calls them: by their names, or as they were given where names come twice.
  let shardNames: [String]
  /// The pairs that others were dropped for.
  let survivors: [Int: ExaminedPair]

  init(shards: [String], survivors: [Int: ExaminedPair]) {
    let names = shards.map { String($0.split(separator: "/").last ?? "") }
    shardNames = Set(names).count == names.count ? names : shards
    self.survivors = survivors
  }

  /// The row of a pair.
  ///
  /// - Parameters:
  ///   - pair: As it was looked at.
  ///   - fate: Nil where it is kept.
  ///   - place: Its new shard and its key there, where it is kept.
  /// - Returns: An object of the table's columns.
  func row(
    _ pair: ExaminedPair, _ fate: ShardFate?, at place: (shard: String, key: String)?
  ) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("row", .int(pair.row)), .init("key", .string(pair.key)),
      .init("uid", .string(pair.uid)), .init("shard", .string(shardNames[pair.shard])),
      .init("kept", .bool(fate == nil)),
    ]
    func add(_ name: String, _ value: String?) {
      if let value { members.append(.init(name, .string(value))) }
    }
    func add(_ name: String, _ value: Int?) {
      if let value { members.append(.init(name, .int(value))) }
    }
    if let fate {
      members += fate.drop.members
      let survivor = survivor(of: fate)
      add("of_key", survivor?.key)
      add("of_uid", survivor?.uid ?? fate.survivorUID)
      add("of_shard", survivor.map { shardNames[$0.shard] })
      add("of_source", fate.source)
      add("distance", distance(pair, fate))
      add("difference", difference(pair, fate))
    }
    if let fault = pair.fault {
      add("note", fault.reason.rawValue + (fault.detail.isEmpty ? "" : ": " + fault.detail))
    }
    add("new_key", place?.key)
    add("new_shard", place?.shard)
    return .object(members)
  }

  func survivor(of fate: ShardFate) -> ExaminedPair? {
    fate.drop.survivor.flatMap { survivors[$0] }
  }

  /// The bits in which the pair's key differs from its survivor's.
  func distance(_ pair: ExaminedPair, _ fate: ShardFate) -> Int? {
    fate.distance
      ?? pair.signature.flatMap { mine in
        survivor(of: fate)?.signature.map { mine.distance(to: $0) }
      }
  }

  /// How far the finer parts of both lie apart.
  func difference(_ pair: ExaminedPair, _ fate: ShardFate) -> Int? {
    fate.difference
      ?? pair.signature.flatMap { mine in
        survivor(of: fate)?.signature.map { mine.difference(from: $0) }
      }
  }
}
