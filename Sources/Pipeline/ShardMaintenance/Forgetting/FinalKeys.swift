import DurableFiles
import PairDataset
import PipelineCore

/// Tells the pairs of final shards that are taken out.
struct FinalKeys: Sendable {
  let folder: RunFolder
  /// Of the pairs that go.
  let uids: Set<String>
  /// Their keys by chunk.
  let keys: [Int: ChunkKeys]
  /// Whether the tables beside the shards have our column `uid`, and not one of the list's.
  let hasUIDs: Bool

  /// The keys of the pairs of a final shard that go.
  ///
  /// By the table beside it, exactly; img2dataset's tables have no uids, and there keys are compared.
  ///
  /// - Throws: What is wrong with shard or table.
  func going(of listed: ShardSummary) throws -> Set<String> {
    if hasUIDs, let table = listed.table, DurableFile.exists("\(folder.path)/\(table)") {
      let rows = try PairTable.read("\(folder.path)/\(table)") { $0 }
      return Set(
        rows.filter { $0["uid"]?.text.map(uids.contains) ?? false }.compactMap { $0["key"]?.text })
    }
    let all = try ShardReader(path: "\(folder.path)/\(listed.file)").keys
    let known = keys.values.reduce(into: Set<String>()) { $0.formUnion($1.known) }
    var renamed = Set(all.filter { !known.contains($0) && isRenamed($0) })
    if !renamed.isEmpty { renamed.subtract(try shipped(renamed)) }
    return renamed.union(all.filter(known.contains))
  }

  /// Whether a key is one of a pair that goes with its chunk's number behind it (PackedShards).
  private func isRenamed(_ key: String) -> Bool {
    keys.contains { chunk, keys in
      var rest = Substring(key)
      while rest.hasSuffix("-\(chunk)") {
        rest = rest.dropLast("-\(chunk)".count)
        if keys.known.contains(String(rest)) { return true }
      }
      return false
    }
  }

  /// Those of `some` that are keys of pairs in the chunks' shards, which are done by then.
  private func shipped(_ some: Set<String>) throws -> Set<String> {
    var found: Set<String> = []
    for name in try DurableFile.names(in: folder.shards) where name.hasSuffix(".parquet") {
      for row in try PairTable.read("\(folder.shards)/\(name)")
      where row["status"]?.text == "success" {
        if let key = row["key"]?.text, some.contains(key) { found.insert(key) }
      }
    }
    return found
  }
}
