import DecodeStage
import Deduplication
import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import PerceptualHash
import PictureIndex
import PipelineCore
import ShardDeduplication
import Testing

/// What looks the same, whatever its bytes.
@Suite struct NearDuplicateTests {
  @Test("other encodings go, and the table says what stays, and how near it is")
  func near() throws {
    let world = try DuplicateWorld(600, seed: 31, isForeign: true)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 170)
    let out = world.folder + "/out"
    let outcome = try ShardDeduplicator.deduplicate(
      shards, to: out, options: ShardDeduplicationTests.options(.near))
    let kept = world.kinds.indices.filter { world.kinds[$0] == .new || world.kinds[$0] == .cut }
    #expect(try samples(out) == kept.map { try world.sample($0) })
    let encodings = world.kinds.count { if case .encoding = $0 { true } else { false } }
    #expect(
      outcome.dropped == [
        "duplicate_bytes": 600 - kept.count - encodings, "duplicate_picture": encodings,
      ])
    let seen = try PictureExaminer(worker: nil).examine(
      try (0..<600).map { try world.body($0) }, threads: 2)
    let signatures = seen.map { result -> PictureSignature? in
      if case .success(let picture) = result { picture.signature } else { nil }
    }
    for (row, told) in try PairTable.read(out + "/duplicates.parquet").enumerated() {
      guard case .encoding(let original) = world.kinds[row] else { continue }
      #expect(told["drop"]?.text == "duplicate_picture")
      #expect(told["of"]?.integer == original)
      #expect(told["of_key"]?.text == (try world.sample(original)).key)
      let (mine, other) = (try #require(signatures[row]), try #require(signatures[original]))
      #expect(told["distance"]?.integer == mine.distance(to: other))
      #expect(told["difference"]?.integer == mine.difference(from: other))
    }
    // What a person sees: pictures of both sides, and no more than there are.
    var sizes: [String: Int] = [:]
    for group in outcome.groups { sizes["row \(group.row ?? -1)"] = group.dropped }
    let review = try DuplicateReview.read(of: out, sizes: sizes)
    #expect(review.groups.first?.dropped == outcome.groups.first?.dropped)
    #expect(review.groups.allSatisfy { $0.survivor?.jpeg != nil && !$0.shown.isEmpty })
    #expect(!review.below.isEmpty)
    #expect(review.below.map(\.difference) == review.below.map(\.difference).sorted(by: >))
  }

  @Test("of the same picture the larger original stays with keep: best, whatever its row")
  func best() throws {
    let world = try DuplicateWorld(3, seed: 32)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let sizes = [(0, 300), (1, 200), (0, 500), (1, 200), (0, 400)]
    let writer = try ShardWriter(folder: world.folder, name: "s", compression: .none)
    for (row, (picture, side)) in sizes.enumerated() {
      try writer.append(
        Pair(
          key: "k\(row)", caption: "caption \(row)",
          image: try world.picture(picture, quality: 80 + row),
          metadata: Array("{\"original_width\": \(side), \"original_height\": \(side)}".utf8)))
    }
    let shard = "\(world.folder)/\(try writer.finish().file)"
    var options = ShardDeduplicationTests.options(.near)
    options.rules.keep = .best
    let out = world.folder + "/out"
    _ = try ShardDeduplicator.deduplicate([shard], to: out, options: options)
    #expect(try samples(out).map(\.key) == ["k1", "k2"])
    let survivors = try PairTable.read(out + "/duplicates.parquet").map { $0["of_key"]?.text }
    #expect(survivors == ["k2", nil, nil, "k1", "k2"])
  }

  @Test("what an index or an evaluation set holds goes, and is named; a placeholder goes wholly")
  func references() throws {
    let world = try DuplicateWorld(40, seed: 33)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let writer = try ShardWriter(folder: world.folder, name: "s", compression: .none)
    // 0 is in the index, 1 in the set, 2 a placeholder under four captions, 3 alone.
    for (row, picture) in [0, 1, 2, 2, 2, 2, 3].enumerated() {
      try writer.append(
        Pair(
          key: "k\(row)", caption: "caption \(row)",
          image: try world.picture(picture, quality: 75 + row), metadata: Array("{}".utf8)))
    }
    let shard = "\(world.folder)/\(try writer.finish().file)"
    for (name, picture) in [("known", 0), ("set", 1)] {
      try DurableFile.makeFolder("\(world.folder)/\(name)")
      try DurableFile.write(
        try world.picture(picture), to: "\(world.folder)/\(name)/picture.jpg")
    }
    let index = world.folder + "/known.index"
    _ = try IndexMaker.make(
      from: [world.folder + "/known"], to: index, threads: 1, worker: nil)
    var options = ShardDeduplicationTests.options(.near)
    options.rules.against = [index]
    options.rules.evaluationSets = [world.folder + "/set"]
    options.rules.placeholders = .init(captions: 4)
    let out = world.folder + "/out"
    let outcome = try ShardDeduplicator.deduplicate([shard], to: out, options: options)
    #expect(
      outcome.dropped == ["duplicate_picture": 1, "evaluation_set": 1, "placeholder": 4])
    #expect(try samples(out).map(\.key) == ["k6"])
    let rows = try PairTable.read(out + "/duplicates.parquet")
    #expect(rows[0]["of_source"]?.text == "known.index" && rows[0]["of_uid"] != nil)
    #expect(rows[1]["of_source"]?.text == "set" && rows[1]["drop"]?.text == "evaluation_set")
    let plan = try DuplicatePlanner.plan([shard], out: nil, options: options)
    #expect(plan.dropped == outcome.dropped)
    // Its own index drops all that it kept.
    options.rules.against = [out + "/pictures.index"]
    options.rules.evaluationSets = []
    options.rules.placeholders = .init()
    let again = try ShardDeduplicator.deduplicate(
      [out + "/00000.tar.lz4"], to: world.folder + "/again", options: options)
    #expect(again.kept == 0 && again.shards.isEmpty)
    #expect(try DatasetManifest.read(world.folder + "/again/dataset.json").pairs == 0)
  }
}
