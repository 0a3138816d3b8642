import PairDataset
import PipelineCore

/// The rows of packed pairs, out of the tables of the chunks' shards, in the order of packing.
struct PackedRows {
  /// The pairs that were taken of one chunk's shard.
  struct Part {
    var chunk: Int
    /// The pairs that the shard has.
    var count: Int
    /// The shard's own file.
    var shard: String
    /// For each pair of the shard whether it was taken; nil for all.
    var kept: [Bool]?
    /// The keys that they have now where they are others, by index in the shard.
    var renamed: [Int: String] = [:]
  }

  private var parts: ArraySlice<Part>
  private let run: RunFolder
  private var rows: ArraySlice<JSONValue> = []
  private var columns: [TableColumn] = []

  init(parts: [Part], run: RunFolder) {
    self.parts = parts[...]
    self.run = run
  }

  /// Publishes the rows of the next `count` pairs as a table with `facts` in its footer.
  ///
  /// - Throws: ``TableError`` where the tables hold other pairs than their shards.
  mutating func write(
    _ count: Int, to path: String, facts: [(key: String, value: String)]
  ) throws {
    var table: [JSONValue] = []
    while table.count < count {
      if rows.isEmpty { try read() }
      let part = rows.prefix(count - table.count)
      rows = rows.dropFirst(part.count)
      table += part
    }
    try PairTable.write(table, columns: columns, to: path, metadata: facts)
  }

  /// Reads the rows of the next part.
  private mutating func read() throws {
    guard let part = parts.popFirst() else {
      throw StageError(.filter, chunk: 0, "the packed shards hold more pairs than were taken")
    }
    let path = run.shardTable(part.chunk)
    columns = try PairTable.columns(of: path)
    // The pairs of a shard are the successes of its chunk, in order.
    let all = try PairTable.read(path).filter { $0["status"]?.text == "success" }
    guard all.count == part.count else {
      throw TableError(
        path: path, row: all.count,
        problem: "it has \(all.count) kept pairs, the shard beside it has \(part.count)")
    }
    // Read once more, from the index: not the keys of all shards are kept until here.
    let keys = try ShardReader(path: part.shard).keys
    for (row, key) in zip(all, keys) where row["key"]?.text != key {
      throw TableError(
        path: path, row: row["row"]?.integer ?? 0,
        problem: "the shard beside it has \(key) where it has \(row["key"]?.text ?? "no key")")
    }
    rows =
      all.enumerated().filter { part.kept?[$0.offset] ?? true }.map { index, row in
        guard let key = part.renamed[index] else { return row }
        return .object(
          row.members.map { $0.key == "key" ? .init("key", .string(key)) : $0 })
      }[...]
  }
}
