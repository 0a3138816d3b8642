import BatchLoading
import Foundation
import ImageCodec
import PairDataset
import Testing

/// A data set of made pictures in two shards, in a folder of its own.
struct MadeDataset {
  let folder = NSTemporaryDirectory() + "pairs-" + UUID().uuidString

  var path: String { folder + "/dataset.json" }

  /// Writes `count` pairs; the pictures of those numbered in `broken` are cut.
  init(count: Int, broken: Set<Int> = []) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var shards: [ShardSummary] = []
    for (shard, range) in [0..<(count / 3), (count / 3)..<count].enumerated() {
      let writer = try ShardWriter(
        folder: folder, name: "0000\(shard)", compression: shard == 0 ? .lz4 : .none)
      for index in range {
        var image = try ImageEncoder.png(
          ImagePreprocessingTests.picture(width: 20 + index % 3, height: 18))
        if broken.contains(index) { image.removeLast(image.count / 2) }
        try writer.append(
          Pair(
            key: "k\(index)", caption: "caption \(index)", image: image, imageExtension: "png",
            metadata: Array("{}".utf8)))
      }
      shards.append(try writer.finish())
    }
    try DatasetManifest(shards: shards, recipeSHA256: "", funnel: []).write(to: path)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

@Suite struct BatchLoaderTests {
  static func reader(
    _ path: String, batch: Int, scale: ClosedRange<Double>? = nil, cache: Int = 1 << 20
  ) throws -> SampleReader {
    SampleReader(
      source: try PairSource(datasetPath: path),
      options: BatchOptions(
        globalBatch: batch, seed: 5, preprocessing: ImagePreprocessing(size: 8),
        cropScale: scale, cacheBytes: cache)
    ) { [Int32($0.utf8.count)] }
  }

  static func batches(
    _ reader: SampleReader, from position: Int = 0, count: Int, rank: Int = 0, of world: Int = 1
  )
    throws -> [PairBatch]
  {
    let loader = BatchLoader(reader: reader, position: position, rank: rank, worldSize: world)
    defer { loader.stop() }
    return try (0..<count).map { _ in try loader.next() }
  }

  @Test("each epoch visits every pair once, in an order of its own")
  func epochs() {
    var order = PairOrder(count: 10, seed: 3)
    let visits = (0..<30).map { order.visit(at: $0) }
    let epochs = stride(from: 0, to: 30, by: 10).map { start in
      visits[start..<(start + 10)].map(\.index)
    }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(Set(epochs).count == 3)
    #expect(
      visits.map(\.epoch) == Array(repeating: 0, count: 10) + Array(repeating: 1, count: 10)
        + Array(repeating: 2, count: 10))
  }

  @Test("the ranks' slices are the global batch, for any number of ranks", arguments: 1...5)
  func slices(world: Int) throws {
    let data = try MadeDataset(count: 12)
    defer { data.remove() }
    let reader = try Self.reader(data.path, batch: 7, scale: 0.5...1)
    let whole = try Self.batches(reader, count: 4)
    let parts = try (0..<world).map { rank in
      try Self.batches(reader, count: 4, rank: rank, of: world)
    }
    for batch in 0..<4 {
      #expect(parts.flatMap { $0[batch].keys } == whole[batch].keys)
      #expect(parts.flatMap { $0[batch].images.values } == whole[batch].images.values)
    }
    #expect(whole[0].keys.count == 7)
  }

  @Test("a loader that starts in the middle gives what an uninterrupted one gives there")
  func resume() throws {
    let data = try MadeDataset(count: 9)
    defer { data.remove() }
    // With and without a cache: what is in memory must not matter.
    let whole = try Self.batches(
      try Self.reader(data.path, batch: 4, scale: 0.2...1), count: 8)
    let rest = try Self.batches(
      try Self.reader(data.path, batch: 4, scale: 0.2...1, cache: 0), from: 20, count: 3)
    #expect(rest.map(\.keys) == whole[5...].map(\.keys))
    #expect(rest.map(\.images.values) == whole[5...].map(\.images.values))
  }

  @Test("a pair that cannot be decoded is replaced by the next one and reported")
  func replaced() throws {
    let data = try MadeDataset(count: 6, broken: [2, 5])
    defer { data.remove() }
    let batch = try Self.batches(try Self.reader(data.path, batch: 6), count: 1)[0]
    #expect(batch.keys.sorted() == ["k0", "k0", "k1", "k3", "k3", "k4"])
    #expect(Set(batch.replaced.map { [$0.index, $0.by] }) == [[2, 3], [5, 0]])
    #expect(batch.replaced.allSatisfy { !$0.reason.isEmpty })
  }

  @Test("a shard of another size or another number of pairs is refused by name")
  func mismatch() throws {
    let data = try MadeDataset(count: 6)
    defer { data.remove() }
    let manifest = try DatasetManifest.read(data.path)
    for what in ["bytes", "pairs"] {
      var shards = manifest.shards
      if what == "bytes" { shards[1].bytes += 1 } else { shards[1].pairs += 1 }
      try DatasetManifest(shards: shards, recipeSHA256: "", funnel: []).write(to: data.path)
      let error = #expect(throws: ShardMismatch.self) { try PairSource(datasetPath: data.path) }
      #expect(error?.what == what)
      #expect(error?.shard == data.folder + "/" + shards[1].file)
      #expect(error.map { $0.stated - $0.found } == 1)
    }
  }

  @Test("a data set without a readable pair is an error, not a hang")
  func nothing() throws {
    let data = try MadeDataset(count: 3, broken: [0, 1, 2])
    defer { data.remove() }
    #expect(throws: NoReadablePair.self) {
      try Self.batches(try Self.reader(data.path, batch: 2), count: 1)
    }
  }
}
