import DurableFiles
import Foundation
import PairDataset
import Testing

/// Rolling over from shard to shard.
@Suite struct RollingShardWriterTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-rolling-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  private func keys(_ shards: [ShardSummary]) throws -> [[String]] {
    try shards.map { try ShardReader(path: folder + "/" + $0.file).keys }
  }

  @Test("shards are full at so many pairs, densely numbered, the last short")
  func byCount() throws {
    let writer = RollingShardWriter(
      folder: folder, firstNumber: 8, compression: .lz4, maxPairs: 4, maxBytes: nil)
    let numbers = try (0..<10).map { try writer.append(TestPairs.pair($0, bytes: 100)) }
    #expect(numbers == [8, 8, 8, 8, 9, 9, 9, 9, 10, 10])
    #expect(writer.published.count == 2)
    let shards = try writer.finish()
    #expect(shards.map(\.file) == ["00008.tar.lz4", "00009.tar.lz4", "00010.tar.lz4"])
    #expect(shards.map(\.pairs) == [4, 4, 2])
    #expect(try keys(shards).flatMap { $0 } == (0..<10).map { "key\($0)" })
  }

  @Test("no tar is larger than so many bytes, unless one pair alone is")
  func byBytes() throws {
    // A pair has 3 headers, a block each of JSON and text, and its picture in blocks.
    let sizes = [700, 700, 700, 50_000, 10, 10, 9000, 10]
    let limit = 12_000
    let writer = RollingShardWriter(
      folder: folder, compression: .none, maxPairs: nil, maxBytes: limit, nameDigits: 2)
    for (number, size) in sizes.enumerated() {
      try writer.append(TestPairs.pair(number, bytes: size))
    }
    let shards = try writer.finish()
    // By hand: 700 bytes are 2 blocks, so 3584 with the rest; 3 of them and the end are 11,776.
    #expect(
      try keys(shards) == [
        ["key0", "key1", "key2"], ["key3"], ["key4", "key5"], ["key6"], ["key7"],
      ])
    for shard in shards {
      let size = try DurableFile.size(of: folder + "/" + shard.file)
      #expect(size == shard.bytes && (size <= limit || shard.pairs == 1))
    }
    #expect(shards.map(\.file).first == "00.tar")
  }

  @Test("the limit holds to the byte, pax headers of long names included")
  func exactly() throws {
    func shards(_ limit: Int) throws -> [ShardSummary] {
      let writer = RollingShardWriter(
        folder: folder, compression: .none, maxPairs: nil, maxBytes: limit)
      for number in 0..<2 {
        var pair = TestPairs.pair(number, bytes: 512)
        pair.image = Array(pair.image.prefix(512))
        pair.key = String(repeating: "k", count: 120) + "\(number)"
        try writer.append(pair)
      }
      return try writer.finish()
    }
    // 3 members with their pax headers of 2 blocks, and a block of data each: 12 blocks a pair.
    let whole = 2 * 12 * 512 + 1024
    #expect(try shards(whole).map(\.bytes) == [whole])
    #expect(try shards(whole - 1).map(\.pairs) == [1, 1])
  }

  @Test("without a pair there is no shard, and a refused pair begins none")
  func empty() throws {
    let writer = RollingShardWriter(folder: folder, compression: .lz4, maxPairs: 1, maxBytes: nil)
    #expect(throws: ShardError.self) {
      try writer.append(ShardSample(key: "a.b", members: [.init(suffix: "jpg", data: [])]))
    }
    #expect(try writer.finish() == [])
    #expect(try DurableFile.names(in: folder) == [])
  }
}
