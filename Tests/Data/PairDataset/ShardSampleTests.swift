import Compression
import DurableFiles
import Foundation
import PairDataset
import Testing

/// Samples with every member that a tar has for them.
@Suite struct ShardSampleTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-samples-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  private func sample(_ key: String, _ number: Int) -> ShardSample {
    ShardSample(
      key: key,
      members: [
        .init(suffix: "seg.png", data: Array("mask \(number)".utf8)),
        .init(suffix: "cls", data: Array("\(number)".utf8)),
        .init(suffix: "jpg", data: TestPairs.pair(number, bytes: 3000).image),
        .init(suffix: "txt", data: Array("text \(number)".utf8)),
        .init(suffix: "empty", data: []),
      ])
  }

  @Test(
    "foreign members come back byte for byte and in order, by number, by key and in turn",
    arguments: ShardCompression.allCases)
  func roundTrip(compression: ShardCompression) throws {
    let samples = (0..<900).map { sample($0 % 2 == 0 ? "n\($0)" : "part.1/n\($0)", $0) }
    let writer = try ShardWriter(folder: folder, name: "s", compression: compression)
    for sample in samples { try writer.append(sample) }
    let path = folder + "/" + (try writer.finish().file)
    for hasIndex in [true, false] {
      if !hasIndex { try DurableFile.remove(folder + "/s.idx") }
      let reader = try ShardReader(path: path)
      #expect(reader.keys == samples.map(\.key))
      for index in [0, 899, 450, 451] {
        #expect(try reader.sample(at: index) == samples[index])
        #expect(try reader.sample(key: samples[index].key) == samples[index])
      }
      var seen: [ShardSample] = []
      try reader.forEachSample { seen.append($0) }
      #expect(seen == samples)
      let pair = try #require(try reader.pair(key: "n4"))
      #expect(pair.image == samples[4].data("jpg") && pair.caption == "text 4")
      #expect(try reader.pair(key: "n3") == nil && reader.sample(key: "") == nil)
    }
  }

  @Test("a pair's sample has its members in the order of the tar, and gives the same bytes")
  func ofPair() throws {
    for (name, asSample) in [("a", false), ("b", true)] {
      let writer = try ShardWriter(folder: folder, name: name, compression: .lz4)
      for number in 0..<40 {
        let pair = TestPairs.pair(number)
        if asSample { try writer.append(pair.sample) } else { try writer.append(pair) }
      }
      _ = try writer.finish()
    }
    #expect(
      try DurableFile.read(folder + "/a.tar.lz4") == DurableFile.read(folder + "/b.tar.lz4"))
  }

  @Test("of a key that comes again, apart from the first, the first is found by key")
  func duplicates() throws {
    let tar =
      ["1", "2", "1"].enumerated().flatMap { number, key in
        RawTar.member("\(key).jpg", Array("picture \(number)".utf8))
      } + RawTar.end
    try DurableFile.write(tar, to: folder + "/d.tar")
    let reader = try ShardReader(path: folder + "/d.tar")
    #expect(reader.keys == ["1", "2", "1"])
    #expect(try reader.pair(key: "1")?.image == Array("picture 0".utf8))
    #expect(try reader.pair(at: 2).image == Array("picture 2".utf8))
  }

  @Test("texts in gzip are unpacked for a pair and kept as they are in a sample")
  func gzipMembers() throws {
    let packed = BlockCodec.gzip.compress(Array("a caption".utf8))
    let bomb = BlockCodec.gzip.compress([UInt8](repeating: 0x20, count: 17 << 20))
    let tar =
      RawTar.member("1.jpg", [1]) + RawTar.member("1.txt.gz", packed)
      + RawTar.member("2.jpg", [2]) + RawTar.member("2.json.gz", bomb)
      + RawTar.member("3.jpg", [3]) + RawTar.member("3.txt.gz", Array(packed.dropLast(9)))
      + RawTar.end
    try DurableFile.write(tar, to: folder + "/z.tar")
    let reader = try ShardReader(path: folder + "/z.tar")
    #expect(try reader.pair(at: 0).caption == "a caption")
    #expect(try reader.sample(at: 0).data("txt.gz") == packed)
    for number in [1, 2] {
      let error = #expect(throws: ShardError.self) { try reader.pair(at: number) }
      guard case .badFrame = error?.reason else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(try reader.sample(at: number).members.count == 2)
    }
  }

  @Test("a sample that readers would not give back is refused by name and adds nothing")
  func refuses() throws {
    let writer = try ShardWriter(folder: folder, name: "r", compression: .none)
    let good = sample("good", 1)
    try writer.append(good)
    for key in ["../x", "a/../b", "/x", "..", "a/..", "x\u{0}y", "a/b.c", "x/"] {
      let error = #expect(throws: ShardError.self, "\(key)") { try writer.append(sample(key, 2)) }
      guard case .badPair(key, _) = error?.reason else {
        Issue.record("\(key): \(String(describing: error))")
        continue
      }
    }
    for suffix in ["JPG", "a/b", "jpg", "x\ny", String(repeating: "s", count: 256)] {
      var bad = sample("other", 3)
      bad.members.append(.init(suffix: suffix, data: []))
      #expect(throws: ShardError.self, "\(suffix)") { try writer.append(bad) }
    }
    #expect(throws: ShardError.self) {
      try writer.append(ShardSample(key: "x", members: [.init(suffix: "txt", data: [])]))
    }
    #expect(throws: ShardError.self) {
      try writer.append(ShardSample(key: "__x", members: [.init(suffix: "jpg__", data: [])]))
    }
    let reader = try ShardReader(path: folder + "/" + (try writer.finish().file))
    #expect(try reader.count == 1 && reader.sample(at: 0) == good)
  }
}
