import Foundation
import PairDataset
import ParquetFile
import PipelineCore
import ShardScoring
import Testing

@Suite struct ShardScorerTests {
  /// What a table must hold, by the naive way.
  static func rows(of shards: [String]) throws -> [String] {
    var rows: [String] = []
    for path in shards {
      try ShardReader(path: path).forEach { pair in
        rows.append("\(PairIdentity.uid(of: pair)) \(pair.key) \(ByteScorer.score(pair))")
      }
    }
    return rows
  }

  static func read(_ table: String) throws -> [String] {
    try PairTable.read(table).map { row in
      "\(row["uid"]?.text ?? "") \(row["key"]?.text ?? "") \(Float(row["score"]?.double ?? -9))"
    }
  }

  @Test("tables hold every pair's score, and their footers what made them", arguments: [1, 3, 256])
  func scores(batch: Int) async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(3, pairs: 7)
    let out = toy.folder + "/out"
    let outcome = try await ShardScorer(shards, to: out, scorer: ByteScorer(), batch: batch).run()
    #expect(outcome.pairs == 21 && outcome.scored == 21 && outcome.pairsHere == 21)
    for (number, shard) in shards.enumerated() {
      let table = "\(out)/\(RunFolder.digits(number)).parquet"
      #expect(try Self.read(table) == Self.rows(of: [shard]))
      let footer = try PairTable.metadata(of: table)
      #expect(footer["weights"] == "w1" && footer["precision"] == "bytes")
      #expect(footer["program"] == "pairloom \(ProgramVersion.current)")
      #expect(footer["shard"] == "\(RunFolder.digits(number)).tar" && footer["pairs"] == "7")
    }
    // Nothing but the tables.
    #expect(try ToyShards.files(out).count == 3)
    let single = toy.folder + "/scores.parquet"
    _ = try await ShardScorer(shards, to: single, scorer: ByteScorer(), batch: batch).run()
    #expect(try Self.read(single) == Self.rows(of: shards))
    #expect(!FileManager.default.fileExists(atPath: single + ".part"))
  }

  @Test("what is scored is not scored again, and gives the same bytes")
  func resumes() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(4, pairs: 5)
    for out in [toy.folder + "/whole", toy.folder + "/whole.parquet"] {
      _ = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
    }
    for name in ["cut", "cut.parquet"] {
      let out = "\(toy.folder)/\(name)"
      // It ends in the third shard.
      await #expect(throws: ByteScorer.Killed.self) {
        try await ShardScorer(shards, to: out, scorer: ByteScorer(failAt: 12), batch: 2).run()
      }
      let second = ByteScorer()
      let outcome = try await ShardScorer(shards, to: out, scorer: second).run()
      #expect(await second.asked == 10 && outcome.pairs == 20 && outcome.pairsHere == 10)
      let third = ByteScorer()
      let again = try await ShardScorer(shards, to: out, scorer: third).run()
      #expect(await third.asked == 0)
      #expect(again.wasComplete && again.pairs == 20 && again.scores == outcome.scores)
    }
    #expect(try ToyShards.files(toy.folder + "/cut") == ToyShards.files(toy.folder + "/whole"))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: toy.folder + "/cut.parquet"))
        == Data(contentsOf: URL(fileURLWithPath: toy.folder + "/whole.parquet")))
  }

  @Test("workers on one folder divide the shards and leave the same bytes", arguments: [2, 5])
  func workers(count: Int) async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(6, pairs: 4)
    _ = try await ShardScorer(shards, to: toy.folder + "/one", scorer: ByteScorer()).run()
    for name in ["many", "many.parquet"] {
      let out = "\(toy.folder)/\(name)"
      let scorers = (0..<count).map { _ in ByteScorer(delay: .milliseconds(5)) }
      try await withThrowingTaskGroup(of: ShardScoringOutcome.self) { group in
        for scorer in scorers {
          group.addTask { try await ShardScorer(shards, to: out, scorer: scorer).run() }
        }
        for try await outcome in group { #expect(outcome.pairs == 24 && outcome.scored == 24) }
      }
      var asked = 0
      for scorer in scorers { asked += await scorer.asked }
      // Nobody has scored what another had.
      #expect(asked == 24)
    }
    #expect(try ToyShards.files(toy.folder + "/many") == ToyShards.files(toy.folder + "/one"))
    #expect(try Self.read(toy.folder + "/many.parquet") == Self.rows(of: shards))
  }

  @Test("pairs that cannot be scored keep their rows, with the reason")
  func faults() async throws {
    let toy = try ToyShards()
    let shard = try toy.foreignShard(
      "web",
      [
        ("a.jpg", [1, 0]), ("a.txt", Array("a".utf8)), ("b.jpg", [255, 0]),
        ("b.txt", Array("b".utf8)), ("c.jpg", [3, 0]), ("d.jpg", [4, 0]),
        ("d.txt", Array("d".utf8)), ("d.json", Array("no json".utf8)),
      ])
    let out = toy.folder + "/scores.parquet"
    let outcome = try await ShardScorer([shard], to: out, scorer: ByteScorer()).run()
    #expect(outcome.faults == ["undecodable": 1, "no_caption": 1] && outcome.scored == 2)
    let rows = try PairTable.read(out)
    #expect(rows.map { $0["key"]?.text } == ["a", "b", "c", "d"])
    #expect(rows.map { $0["fault"]?.text } == [nil, "undecodable", "no_caption", nil])
    #expect(rows.map { $0["score"] == nil } == [false, true, true, false])
    #expect(rows[1]["detail"]?.text == "begins with 255")
  }

  @Test("a damaged table, and one of a shard as it was before, are made anew")
  func damaged() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(3, pairs: 6)
    let out = toy.folder + "/out"
    _ = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
    let whole = try ToyShards.files(out)
    let first = URL(fileURLWithPath: "\(out)/\(RunFolder.digits(0)).parquet")
    let bytes = try Data(contentsOf: first)
    for length in stride(from: 0, to: bytes.count, by: 97) {
      try bytes.prefix(length).write(to: first)
      let outcome = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
      #expect(outcome.redone == 1 && outcome.pairsHere == 6, "\(length) bytes")
      #expect(try ToyShards.files(out) == whole)
    }
    // A flipped bit gives the same table at the end, or is told of: never other scores.
    for place in stride(from: 4, to: bytes.count, by: 41) {
      var flipped = bytes
      flipped[place] ^= 4
      try flipped.write(to: first)
      do {
        _ = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
        #expect(try Self.read(first.path) == Self.rows(of: [shards[0]]), "byte \(place)")
      } catch is ShardScoringError {
      } catch is ParquetError {
      }
    }
    try bytes.write(to: first)
    _ = try toy.shard(RunFolder.digits(1), (50..<53).map { ToyShards.pair($0) })
    let outcome = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
    #expect(outcome.redone == 1 && outcome.pairsHere == 3 && outcome.pairs == 15)
    #expect(try Self.read("\(out)/\(RunFolder.digits(1)).parquet") == Self.rows(of: [shards[1]]))
  }

  @Test("scores of two models are never mixed")
  func otherModel() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(2, pairs: 3)
    for name in ["out", "out.parquet"] {
      let out = "\(toy.folder)/\(name)"
      _ = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
      let other = ByteScorer(weights: "w2")
      let error = await #expect(throws: ShardScoringError.self) {
        try await ShardScorer(shards, to: out, scorer: other).run()
      }
      #expect(error?.description.contains("weights: w1 there, w2 here") == true)
      #expect(await other.asked == 0)
      // The same weights under another name are the same model.
      let renamed = ByteScorer("moved")
      #expect(try await ShardScorer(shards, to: out, scorer: renamed).run().wasComplete)
    }
    await #expect(throws: ShardScoringError.otherShards(toy.folder + "/out.parquet")) {
      try await ShardScorer([shards[0]], to: toy.folder + "/out.parquet", scorer: ByteScorer())
        .run()
    }
  }

  @Test("a shard that cannot be read is named, and the others are scored")
  func unread() async throws {
    let toy = try ToyShards()
    var shards = try toy.shards(2, pairs: 3)
    let damaged = toy.folder + "/damaged.tar"
    try Data(repeating: 7, count: 1_024).write(to: URL(fileURLWithPath: damaged))
    shards.insert(damaged, at: 1)
    shards.append(toy.folder + "/missing.tar")
    let outcome = try await ShardScorer(shards, to: toy.folder + "/out", scorer: ByteScorer()).run()
    #expect(Set(outcome.unread.keys) == [shards[1], shards[3]] && outcome.scored == 6)
    let single = toy.folder + "/out.parquet"
    _ = try await ShardScorer(shards, to: single, scorer: ByteScorer()).run()
    #expect(!FileManager.default.fileExists(atPath: single))
  }

  @Test("shards of one name in two folders have tables of their own")
  func sameNames() async throws {
    let toy = try ToyShards()
    let shards = [
      try toy.shard("00000", [ToyShards.pair(1)], in: "a"),
      try toy.shard("00000", [ToyShards.pair(2)], in: "b"),
    ]
    let out = toy.folder + "/out"
    _ = try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
    #expect(
      try Self.read("\(out)/\(RunFolder.digits(1))-00000.parquet") == Self.rows(of: [shards[1]]))
    #expect(try ToyShards.files(out).count == 2)
  }

  @Test("the summary is that of a plain sort")
  func spread() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(2, pairs: 100)
    let outcome = try await ShardScorer(shards, to: toy.folder + "/o", scorer: ByteScorer()).run()
    let sorted = (0..<200).map { ByteScorer.score(ToyShards.pair($0)) }.sorted()
    let spread = try #require(outcome.scores)
    #expect(spread.minimum == sorted[0] && spread.maximum == sorted[199])
    #expect(spread.quantiles["0.5"] == sorted[99] && spread.quantiles["0.95"] == sorted[189])
    #expect(spread.mean == sorted.reduce(0) { $0 + Double($1) } / 200)
  }
}
