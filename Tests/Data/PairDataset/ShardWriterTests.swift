import ContentHashing
import DurableFiles
import Foundation
import PairDataset
import Testing

@Suite struct ShardWriterTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-writer-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  private func write(_ pairs: [Pair], _ name: String, _ compression: ShardCompression) throws
    -> ShardSummary
  {
    let writer = try ShardWriter(folder: folder, name: name, compression: compression)
    for pair in pairs { try writer.append(pair) }
    return try writer.finish()
  }

  @Test("the same pairs give the same bytes, and the summary is the file's")
  func deterministic() throws {
    let pairs = (0..<40).map { TestPairs.pair($0) }
    for compression in ShardCompression.allCases {
      let first = try write(pairs, "a", compression)
      let second = try write(pairs, "b", compression)
      let bytes = try DurableFile.read("\(folder)/\(first.file)")
      #expect(try bytes == DurableFile.read("\(folder)/\(second.file)"))
      #expect(
        try DurableFile.read("\(folder)/a.idx") == DurableFile.read("\(folder)/b.idx"))
      #expect(first.bytes == bytes.count && first.sha256 == ContentHash.sha256Hex(bytes))
      #expect(first.file == "a." + compression.fileExtension && first.pairs == 40)
    }
  }

  @Test("nothing is visible before the end, and an abandoned shard leaves nothing")
  func atomic() throws {
    do {
      let writer = try ShardWriter(folder: folder, name: "x", compression: .lz4)
      for number in 0..<40 { try writer.append(TestPairs.pair(number)) }
      #expect(try DurableFile.names(in: folder).allSatisfy { $0.hasSuffix(".tmp") })
    }
    #expect(try DurableFile.names(in: folder) == [])
  }

  @Test("a shard without pairs is a valid archive")
  func empty() throws {
    for compression in ShardCompression.allCases {
      let path = "\(folder)/\(try write([], "e", compression).file)"
      #expect(try ShardReader(path: path).count == 0)
      try DurableFile.remove("\(folder)/e.idx")
      #expect(try ShardReader(path: path).count == 0)
    }
  }

  @Test("frames of LZ4 are about 1 MiB and end where pairs end, so each stands alone")
  func frames() throws {
    let pairs = (0..<55).map { TestPairs.pair($0) }
    let summary = try write(pairs, "f", .lz4)
    let bytes = try DurableFile.read("\(folder)/\(summary.file)")
    let magic: [UInt8] = [0x04, 0x22, 0x4D, 0x18]
    let starts = bytes.indices.filter { bytes[$0...].starts(with: magic) }
    #expect(starts.count == 4)  // 55 pairs of 72 KB, 15 to a frame
    for (start, end) in zip(starts, starts.dropFirst() + [bytes.count]) {
      try DurableFile.write(Array(bytes[start..<end]), to: "\(folder)/one.lz4")
      let listing = try ShardTools.run("lz4 -dc \(folder)/one.lz4 | tar t 2>&1")
      #expect(listing.hasPrefix("key") && listing.contains(".jpg\n"))
      #expect(listing.split(separator: "\n").first?.hasSuffix(".jpg") == true)
    }
  }

  @Test("a pair that breaks WebDataset's rules is refused by name and adds nothing")
  func refuses() throws {
    let writer = try ShardWriter(folder: folder, name: "r", compression: .none)
    try writer.append(TestPairs.pair(1))
    for key in ["", "a.b", "a/", "new\nline", "key1", String(repeating: "x", count: 1025)] {
      var pair = TestPairs.pair(2)
      pair.key = key
      let error = #expect(throws: ShardError.self) { try writer.append(pair) }
      guard case .badPair(key, _) = error?.reason else {
        Issue.record("\(key): \(String(describing: error))")
        continue
      }
    }
    for ending in ["", "txt", "json", "JPG", "tar.jpg"] {
      var pair = TestPairs.pair(3)
      pair.imageExtension = ending
      #expect(throws: ShardError.self) { try writer.append(pair) }
    }
    let summary = try writer.finish()
    #expect(try ShardReader(path: "\(folder)/\(summary.file)").keys == ["key1"])
  }
}
