import DurableFiles
import PairDataset
import PipelineCore

/// `dataset.json`, the final shards that it lists, and the verdicts that they follow from.
struct DatasetCheck: Sendable {
  let facts: RunFacts
  let found: ProblemList
  /// Nil where the run's recipe is not known.
  let layout: RunLayout?
  /// Nil where there is none that can be read.
  private let manifest: DatasetManifest?

  /// Reads the manifest of a run that has published one.
  init(facts: RunFacts, found: ProblemList, layout: RunLayout?) {
    self.facts = facts
    self.layout = layout
    self.found = found
    guard !facts.filters.isEmpty else {
      manifest = nil
      return
    }
    let path = facts.folder.dataset
    do {
      manifest = try DatasetManifest.read(path)
    } catch {
      manifest = nil
      found.add(
        facts.name(path), DurableFile.exists(path) ? "\(error)" : "it is missing",
        .redo(facts.publishing, refetches: false))
    }
  }

  /// Whether there is a manifest that can be read.
  var hasManifest: Bool { manifest != nil }

  /// The digests of all shards that it lists.
  var digests: Set<String> { Set((manifest?.shards ?? []).map(\.sha256)) }

  private var publish: Repair { .redo(facts.publishing, refetches: false) }

  /// The shards of the manifest that are no chunk's own.
  func finalShards() -> [ShardSummary] {
    guard let manifest else { return [] }
    let listed = manifest.shards.filter { !$0.file.hasPrefix("shards/") }
    let kept = facts.filters.reduce(0) { $0 + (facts.report(.filter, $1)?.kept ?? 0) }
    // Published before the ledger says so: a process that ended between the two leaves it ahead, and
    // the next run settles it.
    let isAhead = facts.isPublishing && manifest.pairs > kept
    if isAhead { return listed }
    if manifest.pairs != kept {
      found.add(
        "dataset.json", "it lists \(manifest.pairs) pairs, the ledger counts \(kept)", publish)
    } else if listed.isEmpty && !Self.same(manifest.shards, chunkShards()) {
      found.add("dataset.json", "it does not list the shards that the ledger knows", publish)
    }
    do {
      for file in try SizesFiles(shards: manifest.shards, root: facts.folder.path).wrong(
        isImg2dataset: layout?.isImg2dataset)
      {
        let isThere = DurableFile.exists("\(facts.folder.path)/\(file)")
        found.add(
          file, isThere ? "it does not say what dataset.json lists" : "it is missing", publish)
      }
    } catch {
      found.add("sizes.json", "\(error)", publish)
    }
    return listed
  }

  private static func same(_ one: [ShardSummary], _ other: [ShardSummary]) -> Bool {
    one.count == other.count
      && zip(one, other).allSatisfy {
        $0.file == $1.file && $0.pairs == $1.pairs && $0.bytes == $1.bytes
          && $0.sha256 == $1.sha256
      }
  }

  /// The shards of all chunks that were judged, as the manifest lists them where nothing is filtered.
  private func chunkShards() -> [ShardSummary] {
    facts.chunks.compactMap { chunk in
      guard facts.filter(ofChunk: chunk) != nil,
        facts.reports[.score] == nil || facts.report(.score, chunk) != nil,
        var summary = facts.report(.shard, chunk)?.shard
      else { return nil }
      summary.file = "shards/" + summary.file
      return summary
    }
  }

  /// Looks at one final shard.
  func check(_ summary: ShardSummary) {
    let path = "\(facts.folder.path)/\(summary.file)"
    let check = ShardCheck(path, summary)
    found.count(shards: 1, pairs: check.keys.count, bytes: check.bytes)
    if let damage = check.damage {
      found.add(summary.file, damage, publish)
      return
    }
    if let problem = check.indexProblem {
      found.add(
        facts.name(ShardIndexFile.path(ofShard: path)), problem, .index(shard: summary.file))
    }
    if let table = summary.table { checkTable(table, keys: check.keys) }
  }

  /// The rows of a final shard are those of its pairs, in order.
  private func checkTable(_ file: String, keys: [String]) {
    let table = "\(facts.folder.path)/\(file)"
    guard DurableFile.exists(table) else { return found.add(file, "it is missing", publish) }
    found.count(tables: 1)
    do {
      if try PairTable.read(table, as: { $0["key"]?.text }) != keys {
        found.add(file, "its rows are not the pairs of the shard", publish)
      }
    } catch {
      found.add(file, "\(error)", publish)
    }
  }

  /// Holds the pairs of the final shards, in order, against the verdicts.
  ///
  /// Memory: the keys of one chunk and of one shard.
  func checkOrder() {
    guard let manifest, manifest.shards.contains(where: { !$0.file.hasPrefix("shards/") }) else {
      return
    }
    let listed = manifest.shards
    var next = 0
    var keys: ArraySlice<String> = []
    for chunk in order() {
      guard let kept = keptKeys(of: chunk) else { return }
      for key in kept {
        while keys.isEmpty && next < listed.count {
          // A shard that cannot be read has been named; what follows cannot be told.
          guard let read = read(listed[next].file) else { return }
          keys = read[...]
          next += 1
        }
        // Where duplicates are kept, a key that another pair of the shard has ends in its chunk.
        guard let found = keys.popFirst(), found == key || found.hasPrefix(key + "-") else {
          return self.found.add(
            listed[max(0, next - 1)].file,
            "its pairs are not those that the filter kept: \(key) of"
              + " chunk \(chunk) is not where it should be", publish)
        }
      }
    }
    let rest = keys.count + listed[min(next, listed.count)...].reduce(0) { $0 + $1.pairs }
    if rest > 0 && !facts.isPublishing {
      found.add("dataset.json", "it has \(rest) pairs more than the filter kept", publish)
    }
  }

  /// The chunks in the order in which they were judged.
  private func order() -> [Int] {
    facts.chunks.filter { facts.report(.shard, $0)?.shard != nil }
      .compactMap { chunk in facts.filter(ofChunk: chunk).map { (filter: $0, chunk: chunk) } }
      .sorted { ($0.filter, $0.chunk) < ($1.filter, $1.chunk) }.map(\.chunk)
  }

  private func read(_ file: String) -> [String]? {
    do {
      return try ShardReader(path: "\(facts.folder.path)/\(file)").keys
    } catch {
      return nil
    }
  }

  /// The keys of a chunk that the filter kept; nil where that cannot be told.
  private func keptKeys(of chunk: Int) -> [String]? {
    let folder = facts.folder
    if facts.reports[.score] != nil && facts.report(.score, chunk) == nil { return [] }
    guard DurableFile.exists("\(folder.filtered)/verdicts") else {
      return facts.report(.shard, chunk)?.shard.flatMap { read("shards/" + $0.file) }
    }
    let path = folder.filterTable(chunk)
    found.count(tables: 1)
    guard DurableFile.exists(path) else {
      found.add(facts.name(path), "it is missing", publish)
      return nil
    }
    do {
      let rows = try PairTable.read(path) { row in row["key"]?.text.map { ($0, Drop(row)) } }
      if let pairs = facts.report(.shard, chunk)?.shard?.pairs, rows.count != pairs {
        found.add(
          facts.name(path), "it judges \(rows.count) pairs, the shard has \(pairs)", publish)
        return nil
      }
      return rows.filter { $0.1 == nil }.map(\.0)
    } catch {
      found.add(facts.name(path), "\(error)", publish)
      return nil
    }
  }
}
