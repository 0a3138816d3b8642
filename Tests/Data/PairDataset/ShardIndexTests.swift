import DurableFiles
import Foundation
import PairDataset
import Testing

/// Indexes that lie, their checksums right.
@Suite struct ShardIndexTests {
  let folder: String
  let pairs = (0..<40).map { TestPairs.pair($0) }

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-index-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  /// A shard; where its frames begin, by their magic number; and its pairs' lengths, by hand.
  private func shard(_ compression: ShardCompression) throws -> (
    path: String, size: Int, tarSize: Int, frames: [Int], lengths: [Int]
  ) {
    let writer = try ShardWriter(folder: folder, name: "s", compression: compression)
    for pair in pairs { try writer.append(pair) }
    let path = folder + "/" + (try writer.finish().file)
    let bytes = try DurableFile.read(path)
    let magic: [UInt8] = [0x04, 0x22, 0x4D, 0x18]
    let frames =
      compression == .none ? [] : bytes.indices.filter { bytes[$0...].starts(with: magic) }
    // Three headers, a block each of JSON and text, and the picture.
    let lengths = pairs.map { 512 * (5 + ($0.image.count + 511) / 512) }
    return (path, bytes.count, lengths.reduce(1024, +), frames, lengths)
  }

  private func entries(_ lengths: [Int]) -> [(gap: Int, length: Int, key: String)] {
    zip(pairs, lengths).map { (0, $1, $0.key) }
  }

  @Test("an index made by hand is the one that is written")
  func layout() throws {
    let shard = try shard(.none)
    #expect(
      try DurableFile.read(folder + "/s.idx")
        == RawTar.index(
          fileSize: shard.size, tarSize: shard.tarSize, entries: entries(shard.lengths)))
  }

  @Test("an index that cannot be is passed over, and the shard scanned")
  func impossible() throws {
    for compression in ShardCompression.allCases {
      let shard = try shard(compression)
      let right = entries(shard.lengths)
      let frames: [(Int, Int)] = compression == .none ? [] : [(0, 0)]
      var bad: [[UInt8]] = []
      func add(
        size: Int? = nil, tarSize: Int? = nil, frames changed: [(Int, Int)]? = nil,
        _ entries: [(gap: Int, length: Int, key: String)]
      ) {
        bad.append(
          RawTar.index(
            fileSize: size ?? shard.size, tarSize: tarSize ?? shard.tarSize,
            frames: changed ?? frames, entries: entries))
      }
      add(size: shard.size + 1, right)
      add(tarSize: 512, right)
      // The first frame elsewhere than at the start; two at one place; one behind the end.
      add(frames: [(1, 0)], right)
      add(frames: [(0, 512)], right)
      add(frames: [(0, 0), (0, 0)], right)
      add(frames: [(0, 0), (shard.size, 512)], right)
      add(frames: [(0, 0), (1 << 51, 1 << 51)], right)
      add(frames: compression == .none ? [(0, 0)] : [], right)
      add([(0, 1 << 51, "x")])
      add([(0, 511, "x")])
      add([(1, 512, "x")])
      add([(0, 0, "x")])
      add([(0, 512, "../x")])
      add([(0, 512, "")])
      bad.append(Array(bad[0].prefix(20)))
      for index in bad {
        try DurableFile.write(index, to: folder + "/s.idx")
        let reader = try ShardReader(path: shard.path)
        #expect(reader.keys == pairs.map(\.key))
        #expect(try reader.pair(at: 7) == pairs[7])
      }
    }
  }

  @Test(
    "an index whose pairs are elsewhere is found out when a pair is read",
    arguments: ShardCompression.allCases)
  func lies(compression: ShardCompression) throws {
    let shard = try shard(compression)
    let frames: [(Int, Int)] = compression == .none ? [] : [(0, 0)]
    let lengths = shard.lengths
    /// Each: the entries of an index, and the pair that it is wrong about.
    var lies: [(entries: [(gap: Int, length: Int, key: String)], number: Int)] = []
    var changed = entries(lengths)
    changed[1].key = "key2"
    lies.append((changed, 1))
    // The text of the first is given to the second.
    changed = entries(lengths)
    changed[0].length -= 1024
    changed[1].length += 1024
    lies.append((changed, 0))
    lies.append((changed, 1))
    // Two pairs as one.
    changed = entries(lengths)
    changed[0].length += changed.remove(at: 1).length
    lies.append((changed, 0))
    // In the middle of a picture.
    changed = entries(lengths)
    changed[0] = (512, lengths[0] - 512, "key0")
    lies.append((changed, 0))
    for (entries, number) in lies {
      try DurableFile.write(
        RawTar.index(
          fileSize: shard.size, tarSize: shard.tarSize, frames: frames, entries: entries),
        to: folder + "/s.idx")
      let reader = try ShardReader(path: shard.path)
      #expect(reader.count == entries.count)
      #expect(throws: ShardError.self) { try reader.pair(at: number) }
      #expect(throws: ShardError.self) { try reader.sample(at: number) }
      // Reading in order asks the index for nothing but speed.
      var seen: [Pair] = []
      try reader.forEach { seen.append($0) }
      #expect(seen == pairs)
    }
  }

  @Test("frames that are elsewhere than the index says give an error, and the order no harm")
  func frames() throws {
    let shard = try shard(.lz4)
    for frames in [
      [(0, 0), (shard.frames[1], 512)], [(0, 0), (shard.frames[1] + 1, 1_105_920)],
      [(0, 0), (1, 512)], [(0, 0), (shard.frames[1], shard.tarSize - 1024)],
    ] {
      try DurableFile.write(
        RawTar.index(
          fileSize: shard.size, tarSize: shard.tarSize, frames: frames,
          entries: entries(shard.lengths)), to: folder + "/s.idx")
      let reader = try ShardReader(path: shard.path)
      #expect(throws: ShardError.self) {
        for number in 0..<reader.count { _ = try reader.pair(at: number) }
      }
      var seen: [Pair] = []
      try reader.forEach { seen.append($0) }
      #expect(seen == pairs)
    }
  }
}
