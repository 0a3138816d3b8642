import Clustering
import DurableFiles
import EmbeddingFiles
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import SemanticDeduplication
import ShardMaintenance
import TensorEngine
import TestTools
import Testing

/// The clusterer of the program, over the same modules.
struct TensorClusterer: EmbeddingClusterer {
  var threads = 2

  private func source(_ rows: EmbeddingRows) -> VectorSource {
    VectorSource(count: rows.count, width: rows.width) { range, floats, offset in
      rows.copy(range, to: &floats, at: offset)
    }
  }

  func clusters(
    of rows: EmbeddingRows, count: Int, seed: UInt64, from state: ClusteringState?,
    onProgress: (Int, Double) -> Void, onState: (ClusteringState) throws -> Void
  ) throws -> EmbeddingClusters {
    var means = SphericalKMeans(clusters: count, threads: threads)
    means.seed = seed
    let begun = state.map { state in
      SphericalKMeans.State(
        step: .init(iteration: state.pass, cosine: state.cosine),
        centroids: Tensor(
          shape: [state.centroids.count / rows.width, rows.width], state.centroids))
    }
    let found = try means.run(source(rows), from: begun) {
      onProgress($0.iteration, $0.cosine)
    } onState: { state in
      try onState(
        ClusteringState(
          pass: state.step.iteration, cosine: state.step.cosine, centroids: state.centroids.values))
    }
    return EmbeddingClusters(
      cluster: found.cluster, cosine: found.cosine, centroids: found.centroids.values)
  }

  func nearestInFront(
    lists: [[Int]], of rows: EmbeddingRows, above threshold: Float
  ) -> [[Int: EmbeddingMatch]] {
    EarlierNeighbours.find(
      lists: lists, in: source(rows), above: threshold, threads: threads
    ).map { $0.mapValues { EmbeddingMatch(number: $0.row, cosine: $0.score) } }
  }

  func rows(
    near queries: [Int], of rows: EmbeddingRows, above threshold: Float
  ) -> [[EmbeddingMatch]] {
    let source = source(rows)
    return ExactNeighbours.above(
      threshold, source.rows(queries).unitMatrix(0..<queries.count), in: source, threads: threads
    ).map { $0.map { EmbeddingMatch(number: $0.row, cosine: $0.score) } }
  }
}

@Suite struct SemanticTests {
  private static let width = 24

  /// Directions, and near copies of some of them.
  private static func vectors(_ count: Int, seed: UInt64) -> [[Double]] {
    var random = RandomStream(seed: seed)
    var rows: [[Double]] = []
    for row in 0..<count {
      let base =
        row > 10 && random.uniform() < 0.4
        ? rows[random.integer(below: row)] : (0..<width).map { _ in random.normal() }
      let raw = base.map { $0 + 0.02 * random.normal() }
      let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
      rows.append(raw.map { $0 / length })
    }
    return rows
  }

  /// The rows as a file holds them, brought to length one.
  private static func stored(_ rows: [[Double]]) -> [[Double]] {
    rows.map { row in
      let halves = row.map { Double(Float16(Float($0))) }  // rounded twice, as the writer does
      let length = halves.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return halves.map { $0 / length }
    }
  }

  private static func folder(_ rows: [[Double]], _ scratch: ScratchFolder) throws -> EmbeddingFolder
  {
    try DurableFile.makeFolder(scratch("e/img_emb"))
    try NumpyWriter.write(
      rows.flatMap { $0.map { Float($0) } }, columns: width, to: scratch("e/img_emb/img_emb_0.npy"))
    return try EmbeddingFolder(scratch("e"))
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test(
    "within every cluster the fates are those of a loop over all its pairs",
    arguments: SemanticRules.Keep.allCases)
  func bruteForce(keep: SemanticRules.Keep) throws {
    let scratch = try ScratchFolder()
    let vectors = Self.vectors(1_500, seed: 5)
    let opened = try Self.folder(vectors, scratch)
    let stored = Self.stored(vectors)
    var rules = SemanticRules(epsilon: 0.03)
    rules.clusters = 7
    rules.keep = keep
    let rows = try #require(opened.image)
    let judged = try SemanticJudgement(rows, rules: rules, by: TensorClusterer())
    var dropped = 0
    for cluster in 0..<7 {
      let members = (0..<1_500).filter { judged.clusters.cluster[$0] == cluster }
      let cosine = judged.clusters.cosine
      let order =
        switch keep {
        case .first: members
        case .hard: members.sorted { (cosine[$0], $0) < (cosine[$1], $1) }
        case .easy: members.sorted { (-cosine[$0], $0) < (-cosine[$1], $1) }
        }
      for (place, row) in order.enumerated() {
        var (best, nearest) = (-1, 0.97)
        for other in order[..<place] {
          let cosine = Self.product(stored[row], stored[other])
          // No cosine of these rows lies within 1e-6 of the threshold, where a Float's rounding would decide.
          #expect(abs(cosine - 0.97) > 1e-6)
          if cosine > nearest { (best, nearest) = (other, cosine) }
        }
        let fate = judged.fates[row]
        #expect(fate?.match == (best < 0 ? nil : best), "row \(row)")
        if let fate {
          dropped += 1
          // Twenty-four products of rows of length one in Float.
          #expect(abs(Double(fate.cosine) - nearest) < 2e-6)
          // Who stays in its stead does stay, and is in the same cluster.
          #expect(judged.fates[fate.survivor] == nil)
          #expect(judged.clusters.cluster[fate.survivor] == cluster)
        }
      }
    }
    #expect(dropped > 300 && dropped < 900)
  }

  @Test("one cluster finds all near pairs, and the audit says what more clusters miss")
  func audit() throws {
    let scratch = try ScratchFolder()
    let vectors = Self.vectors(1_200, seed: 6)
    let opened = try Self.folder(vectors, scratch)
    let stored = Self.stored(vectors)
    let rows = try #require(opened.image)
    var near: Set<[Int]> = []
    for row in 0..<1_200 {
      for other in 0..<row where Self.product(stored[row], stored[other]) > 0.97 {
        near.insert([other, row])
      }
    }
    for clusters in [1, 60] {
      var rules = SemanticRules(epsilon: 0.03)
      rules.clusters = clusters
      let judged = try SemanticJudgement(rows, rules: rules, by: TensorClusterer())
      let audit = judged.audit(rows, rules: rules, by: TensorClusterer(), most: 1_200)
      let found = near.count { judged.clusters.cluster[$0[0]] == judged.clusters.cluster[$0[1]] }
      // Every pair is seen from both of its ends.
      #expect(audit.rows == 1_200 && audit.near == 2 * near.count && audit.found == 2 * found)
      #expect(clusters > 1 || audit.recall == 1)
    }
  }

  @Test(
    "a clustering goes on from any pass to the same bits, and nearly duplicates are those of a loop"
  )
  func resumed() throws {
    let scratch = try ScratchFolder()
    let vectors = Self.vectors(600, seed: 9)
    let rows = try #require(try Self.folder(vectors, scratch).image)
    var states: [ClusteringState] = []
    let whole = try TensorClusterer().clusters(of: rows, count: 12, seed: 4, from: nil) { _, _ in
    } onState: {
      states.append($0)
    }
    #expect(states.count > 2 && states.map(\.pass) == Array(1...states.count))
    for state in states {
      var passes: [Int] = []
      let resumed = try TensorClusterer(threads: 1).clusters(
        of: rows, count: 12, seed: 4, from: state
      ) { pass, _ in
        passes.append(pass)
      } onState: { _ in
      }
      #expect(resumed == whole)
      #expect(passes.first.map { $0 == state.pass + 1 } ?? (state == states.last))
    }
    var rules = SemanticRules(epsilon: 0.008)
    (rules.clusters, rules.keep) = (1, .first)
    let judged = try SemanticJudgement(rows, rules: rules, by: TensorClusterer())
    let stored = Self.stored(vectors)
    var expected: [(row: Int, match: Int, cosine: Double)] = []
    for row in 0..<600 where judged.fates[row] == nil {
      let nearest = (0..<row).map { ($0, Self.product(stored[row], stored[$0])) }
        .max { $0.1 < $1.1 }
      // A row in front that goes is no pair of two that stay.
      if let nearest, nearest.1 > 0.942, judged.fates[nearest.0] == nil {
        expected.append((row, nearest.0, nearest.1))
      }
    }
    expected.sort { ($1.cosine, $0.row) < ($0.cosine, $1.row) }
    #expect(judged.misses.map(\.row) == expected.prefix(24).map(\.row))
    #expect(judged.misses.map(\.match) == expected.prefix(24).map(\.match))
    #expect(!judged.misses.isEmpty)
  }

  @Test("the result is the same on any number of threads")
  func threads() throws {
    let scratch = try ScratchFolder()
    let opened = try Self.folder(Self.vectors(1_500, seed: 7), scratch)
    let rows = try #require(opened.image)
    var rules = SemanticRules(epsilon: 0.05)
    rules.clusters = 9
    let one = try SemanticJudgement(rows, rules: rules, by: TensorClusterer(threads: 1))
    for threads in [2, 5] {
      let other = try SemanticJudgement(rows, rules: rules, by: TensorClusterer(threads: threads))
      #expect(other.fates == one.fates && other.clusters == one.clusters)
    }
  }

  @Test("new shards hold what stays, byte for byte, and the table tells of every row")
  func shards() throws {
    let scratch = try ScratchFolder()
    let vectors = Self.vectors(400, seed: 8)
    _ = try Self.folder(vectors, scratch)
    try DurableFile.makeFolder(scratch("shards"))
    var shards: [String] = []
    var metadata: [EmbeddingMetadata] = []
    for shard in 0..<2 {
      let writer = try ShardWriter(
        folder: scratch("shards"), name: RunFolder.digits(shard), compression: .none)
      // The second has pairs without a row, and one that stands twice.
      for number in (200 * shard)..<(200 * shard + 200 + 5 * shard) {
        let pair = Pair(
          key: "k\(number)", caption: number == 201 ? "caption 200" : "caption \(number)",
          image: Array("picture \(number == 201 ? 200 : number)".utf8), metadata: Array("{}".utf8))
        try writer.append(pair)
        if number < 400 {
          metadata.append(
            EmbeddingMetadata(
              uid: PairIdentity.uid(of: pair), key: pair.key, caption: pair.caption, url: "",
              shard: "\(RunFolder.digits(shard)).tar"))
        }
      }
      shards.append(scratch("shards/\(try writer.finish().file)"))
    }
    #expect(metadata[200].uid == metadata[201].uid)
    try DurableFile.makeFolder(scratch("e/metadata"))
    try PairTable.write(
      metadata.map {
        .object([
          .init("uid", .string($0.uid)), .init("image_path", .string($0.key)),
          .init("shard", .string($0.shard)),
        ])
      },
      columns: ["uid", "image_path", "shard"].map { TableColumn($0, .text) },
      to: scratch("e/metadata/metadata_0.parquet"))
    let opened = try EmbeddingFolder(scratch("e"))
    var rules = SemanticRules(epsilon: 0.03)
    rules.clusters = 3
    let deduplicator = try SemanticDeduplicator(
      opened, rules: rules, clusterer: TensorClusterer(), audited: 50)
    let outcome = try deduplicator.deduplicate(
      shards, to: scratch("out"), cut: ReshardOptions(maxPairs: 100, compression: .none))
    let plan = try deduplicator.plan(table: scratch("plan.parquet"))
    #expect(plan.duplicates == outcome.duplicates && outcome.duplicates > 50)
    #expect(outcome.read == 405 && outcome.kept == 405 - outcome.duplicates)
    #expect(
      try DurableFile.read(scratch("plan.parquet"))
        == DurableFile.read(scratch("out/\(SemanticTable.name)")))
    let table = try PairTable.read(scratch("plan.parquet"))
    let judged = try SemanticJudgement(
      try #require(opened.image), rules: rules, by: TensorClusterer())
    #expect(table.count == 400)
    for (row, line) in table.enumerated() {
      let fate = judged.fates[row]
      #expect(line["kept"] == .bool(fate == nil) && line["uid"]?.text == metadata[row].uid)
      #expect(line["of"]?.integer == fate?.survivor)
      #expect(line["of_uid"]?.text == fate.map { metadata[$0.survivor].uid })
      if let fate {
        let cosine = Self.product(
          Self.stored(vectors)[row], Self.stored(vectors)[fate.survivor])
        #expect(abs((line["cosine"]?.double ?? 0) - cosine) < 2e-6)
      }
    }
    let expected = (0..<405).filter { judged.fates[$0] == nil }.map { "k\($0)" }
    var kept: [String] = []
    for file in outcome.shards {
      try ShardReader(path: scratch("out/\(file)")).forEach { pair in
        kept.append(pair.key)
        let number = pair.key == "k201" ? "200" : String(pair.key.dropFirst())
        #expect(pair.image == Array("picture \(number)".utf8))
      }
    }
    #expect(kept == expected)
    #expect(throws: SemanticDeduplicationError.self) {
      try deduplicator.deduplicate(
        [shards[0]], to: scratch("half"), cut: ReshardOptions(maxPairs: 100))
    }
    #expect(!DurableFile.exists(scratch("half")) && !DurableFile.exists(scratch("half.part")))
    let once = try deduplicator.deduplicate(
      shards, to: scratch("out"), cut: ReshardOptions(maxPairs: 100, compression: .none))
    #expect(once.wasComplete && once.shards == outcome.shards && once.audit == outcome.audit)
    #expect {
      try deduplicator.deduplicate(
        shards, to: scratch("out"), cut: ReshardOptions(maxPairs: 100))
    } throws: {
      "\($0)".contains("compression: was none, now lz4")
    }
    #expect(throws: SemanticDeduplicationError.outputExists(scratch("e"))) {
      try deduplicator.deduplicate(shards, to: scratch("e"), cut: ReshardOptions(maxPairs: 100))
    }
  }

  @Test("of pairs with one uid, of which an earlier one has no row, the right one goes")
  func sharedUID() throws {
    let scratch = try ScratchFolder()
    let first = Self.vectors(1, seed: 4)[0]
    // The second row is a copy of the first.
    _ = try Self.folder([first, first], scratch)
    try DurableFile.makeFolder(scratch("shards"))
    let writer = try ShardWriter(folder: scratch("shards"), name: "00000", compression: .none)
    let twice = Array("{\"url\": \"http://h.test/x\"}".utf8)
    // x1's picture does not decode, so it is in none of the tables.
    let pairs = [("y", "y", Array("{}".utf8)), ("x1", "x", twice), ("x2", "x", twice)].map {
      Pair(key: $0.0, caption: $0.1, image: Array("picture \($0.0)".utf8), metadata: $0.2)
    }
    for pair in pairs { try writer.append(pair) }
    let shard = scratch("shards/\(try writer.finish().file)")
    let uids = pairs.map { PairIdentity.uid(of: $0) }
    #expect(uids[1] == uids[2] && uids[0] != uids[1])
    try DurableFile.makeFolder(scratch("e/metadata"))
    try PairTable.write(
      [0, 2].map {
        .object([.init("uid", .string(uids[$0])), .init("image_path", .string(pairs[$0].key))])
      },
      columns: ["uid", "image_path"].map { TableColumn($0, .text) },
      to: scratch("e/metadata/metadata_0.parquet"))
    var rules = SemanticRules(epsilon: 0.03)
    rules.clusters = 1
    let outcome = try SemanticDeduplicator(
      try EmbeddingFolder(scratch("e")), rules: rules, clusterer: TensorClusterer(), audited: 2
    ).deduplicate(
      [shard], to: scratch("out"), cut: ReshardOptions(maxPairs: 10, compression: .none))
    let kept = try ShardReader(path: scratch("out/\(outcome.shards[0])")).keys
    // Of two that are alike one stays, and who has no row always does.
    let table = try PairTable.read(scratch("out/\(SemanticTable.name)"))
    let gone = try #require(table.first { $0["kept"] == .bool(false) }?["key"]?.text)
    #expect(kept == ["y", "x1", "x2"].filter { $0 != gone } && kept.count == 2)
  }
}
