import DurableFiles
import Foundation
import PairDataset
import Testing

@Suite struct ShardReaderTests {
  let folder: String
  let pairs = (0..<60).map { TestPairs.pair($0) }

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-reader-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  private func shard(_ compression: ShardCompression, name: String = "s") throws -> String {
    let writer = try ShardWriter(folder: folder, name: name, compression: compression)
    for pair in pairs { try writer.append(pair) }
    return folder + "/" + (try writer.finish().file)
  }

  @Test(
    "without an index the shard is scanned to the same end", arguments: ShardCompression.allCases)
  func scans(compression: ShardCompression) throws {
    let path = try shard(compression)
    try DurableFile.remove(folder + "/s.idx")
    let reader = try ShardReader(path: path)
    #expect(reader.keys == pairs.map(\.key))
    for index in [59, 0, 30, 31] { #expect(try reader.pair(at: index) == pairs[index]) }
  }

  @Test(
    "shards that share a cache never get each other's frames", arguments: [0, 3 << 20, 64 << 20])
  func sharedCache(budget: Int) throws {
    let cache = FrameCache(budget: budget)
    let readers = try (0..<2).map { shard in
      let writer = try ShardWriter(folder: folder, name: "\(shard)", compression: .lz4)
      for index in 0..<60 { try writer.append(TestPairs.pair(index + 60 * shard)) }
      return try ShardReader(path: folder + "/" + (try writer.finish().file), cache: cache)
    }
    // Frames of about 1 MiB hold about 15 pairs: the same numbers of frames, in turn and again.
    for index in [0, 59, 20, 40, 1, 58, 0] {
      for (shard, reader) in readers.enumerated() {
        #expect(try reader.pair(at: index) == TestPairs.pair(index + 60 * shard))
      }
    }
  }

  @Test(
    "a damaged, cut, foreign or stale index is not believed", arguments: ShardCompression.allCases)
  func distrustsIndex(compression: ShardCompression) throws {
    let path = try shard(compression)
    let good = try DurableFile.read(folder + "/s.idx")
    var damaged = good
    damaged[good.count / 2] ^= 1
    // Another shard's index, right in itself: the size of its shard differs.
    let other = try ShardWriter(folder: folder, name: "other", compression: compression)
    try other.append(pairs[7])
    _ = try other.finish()
    let stale = try DurableFile.read(folder + "/other.idx")
    let dali = Array("v1.2 2\njpg 512 70001 0.jpg\n".utf8)
    for bytes in [damaged, Array(good.dropLast()), [], dali, stale] {
      try DurableFile.write(bytes, to: folder + "/s.idx")
      let reader = try ShardReader(path: path)
      #expect(reader.keys == pairs.map(\.key))
      #expect(try reader.pair(at: 9) == pairs[9])
    }
  }

  @Test("an index of a shard of the same size is found out when a pair is read")
  func staleIndex() throws {
    let path = try shard(.none)
    let first = TestPairs.pair(0)
    var renamed = pairs
    renamed[0].key = "yek0"
    let writer = try ShardWriter(folder: folder, name: "t", compression: .none)
    for pair in renamed { try writer.append(pair) }
    _ = try writer.finish()
    try DurableFile.write(DurableFile.read(folder + "/t.idx"), to: folder + "/s.idx")
    let reader = try ShardReader(path: path)
    #expect(
      throws: ShardError(.staleIndex(key: "yek0"), shard: path)
    ) { try reader.pair(at: 0) }
    #expect(try reader.pair(at: 1) == pairs[1] && first == pairs[0])
  }

  @Test(
    "a shard cut anywhere throws, with its name and an offset", arguments: ShardCompression.allCases
  )
  func truncated(compression: ShardCompression) throws {
    let bytes = try DurableFile.read(try shard(compression))
    let path = folder + "/cut"
    // Of a tar's two zero blocks one is enough, as for GNU tar.
    let last = bytes.count - (compression == .lz4 ? 1 : 1024)
    for count in [0, 3, 100, 512, 1000, 70_000, 2_000_000, last] {
      try DurableFile.write(Array(bytes.prefix(count)), to: path)
      let error = #expect(throws: ShardError.self, "\(count)") { try ShardReader(path: path) }
      #expect(error?.shard == path && error?.description.hasPrefix(path + "@") == true)
    }
  }

  @Test(
    "flipped bits in a shard throw or leave every pair whole", arguments: ShardCompression.allCases)
  func damaged(compression: ShardCompression) throws {
    let bytes = try DurableFile.read(try shard(compression))
    var state: UInt64 = 5
    var thrown = 0
    for _ in 0..<60 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var copy = bytes
      // Half of the flips go to the first member's header, where they matter most.
      let place = Int(state >> 33) % (state >> 20 & 1 == 0 ? 512 : copy.count)
      copy[place] ^= 1 << UInt8(state >> 30 & 7)
      let path = folder + "/damaged"
      try DurableFile.write(copy, to: path)
      do {
        let reader = try ShardReader(path: path)
        try reader.forEach { _ in }
        for index in 0..<reader.count { _ = try reader.pair(at: index) }
      } catch is ShardError { thrown += 1 }
    }
    // LZ4's checksums find every flip; a tar has a checksum for its headers only.
    #expect(compression == .lz4 ? thrown >= 59 : thrown > 10, "\(thrown)")
  }

  @Test("a header that claims more than is there costs no memory and throws")
  func liar() throws {
    let path = try shard(.none)
    var bytes = try DurableFile.read(path)
    // The size of the first member: 8 GiB - 1; the checksum is made right again.
    bytes.replaceSubrange(124..<135, with: Array("77777777777".utf8))
    bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
    let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
    let digits = Array(String(sum, radix: 8).utf8)
    bytes.replaceSubrange(
      148..<156, with: [UInt8](repeating: 0x30, count: 6 - digits.count) + digits + [0, 0x20])
    let liar = folder + "/liar.tar"
    try DurableFile.write(bytes, to: liar)
    let error = #expect(throws: ShardError.self) { try ShardReader(path: liar) }
    guard case .truncated = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("many threads read at once")
  func concurrent() async throws {
    let reader = try ShardReader(path: try shard(.lz4))
    let expected = pairs
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for lane in 0..<8 {
        group.addTask {
          try (0..<60).allSatisfy {
            let index = ($0 * 7 + lane * 11) % 60
            return try reader.pair(at: index) == expected[index]
          }
        }
      }
      for try await right in group { #expect(right) }
    }
  }

  @Test("an error of the reader's body ends the reading and comes through")
  func bodyThrows() throws {
    struct Enough: Error {}
    let reader = try ShardReader(path: try shard(.lz4))
    var seen = 0
    #expect(throws: Enough.self) {
      try reader.forEach { _ in
        seen += 1
        if seen == 3 { throw Enough() }
      }
    }
    #expect(seen == 3)
  }
}
