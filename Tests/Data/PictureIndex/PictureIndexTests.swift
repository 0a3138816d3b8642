import DurableFiles
import Foundation
import PerceptualHash
import PictureIndex
import SeededRandom
import SegmentFile
import Testing

@Suite struct PictureIndexTests {
  let folder = NSTemporaryDirectory() + "pairloom-index-\(UUID().uuidString)"
  var path: String { folder + "/index" }

  init() throws { try DurableFile.makeFolder(folder) }

  private func entries(of index: PictureIndex) -> [PictureEntry] {
    var entries: [PictureEntry] = []
    index.forEach { position, entry in
      #expect(position == entries.count)
      entries.append(entry)
    }
    return entries
  }

  private func expectSame(
    _ index: PictureIndex, _ naive: NaiveIndex, _ random: inout RandomStream
  ) {
    let all = naive.entries
    #expect(index.count == all.count)
    #expect(index.lastBatch == naive.batches.last?.batch)
    #expect(entries(of: index) == all)
    let digests =
      all.compactMap(\.digest).shuffled(using: &random).prefix(20) + [Name128(high: 1, low: 9)]
    #expect(
      index.entries(withDigests: Array(digests))
        == digests.map { digest in all.first { $0.digest == digest } })
    let keys =
      all.compactMap { $0.signature?.key }.shuffled(using: &random).prefix(10) + [0, 1 << 40]
    let radius = random.integer(below: 17)
    #expect(
      index.matches(of: Array(keys), radius: radius, threads: 2)
        == keys.map { naive.matches(of: $0, radius: radius) })
    if !all.isEmpty {
      let position = random.integer(below: all.count)
      #expect(index.entry(at: position) == all[position])
    }
  }

  /// The hash of entries that are appended at once, which no history has marked.
  private func hash(of entries: [PictureEntry]) throws -> String {
    let fresh = try PictureIndex(folder + "/\(UUID().uuidString)", isWritable: true)
    if !entries.isEmpty { try fresh.append(entries, batch: 5) }
    return fresh.contentHash
  }

  @Test("random operations give what arrays give, to a second handle too", arguments: 0..<8)
  func lockstep(seed: UInt64) throws {
    var random = RandomStream(seed: seed, path: 2)
    var naive = NaiveIndex()
    var writer: PictureIndex? = try PictureIndex(path, isWritable: true)
    let reader = try PictureIndex(path, isWritable: false)
    var batch = 0
    for step in 0..<50 {
      switch random.integer(below: 12) {
      case 0..<7:
        let new = SomeEntries.make([0, 1, 30, 300][random.integer(below: 4)], &random)
        try writer?.append(new, batch: batch)
        naive.batches.append((batch, new))
        batch += 1 + random.integer(below: 3)
      case 7:
        let target = max(0, batch - random.integer(below: 12))
        #expect(try writer?.rewind(to: target) == true)
        naive.batches.removeAll { $0.batch >= target }
        batch = max(target, (naive.batches.last?.batch ?? -1) + 1)
      case 8: try writer?.compact()
      case 9:
        writer = nil
        writer = try PictureIndex(path, isWritable: true)
      default:
        try reader.refresh()
        expectSame(reader, naive, &random)
        #expect(reader.contentHash == writer?.contentHash)
      }
      if step % 10 == 9, let index = writer {
        expectSame(index, naive, &random)
        try index.verify()
        #expect(try index.contentHash == hash(of: naive.entries))
      }
    }
  }

  @Test("large segments have tables, and merging keeps what they find and the hash")
  func tables() throws {
    var random = RandomStream(seed: 4)
    let all = SomeEntries.make(24_000, &random)
    let index = try PictureIndex(path, isWritable: true)
    var naive = NaiveIndex()
    for batch in 0..<24 {
      let new = Array(all[batch * 1000..<(batch + 1) * 1000])
      try index.append(new, batch: batch)
      naive.batches.append((batch, new))
    }
    // 16,000 in one, 4,000 in each of two.
    #expect(index.segmentCount == 3)
    expectSame(index, naive, &random)
    try index.verify()
    let hash = index.contentHash
    #expect(try hash == self.hash(of: all))
    try index.compact()
    #expect(index.segmentCount == 1)
    #expect(index.contentHash == hash)
    expectSame(index, naive, &random)
    try index.verify()
    // Out of the middle of the one segment.
    #expect(try index.rewind(to: 20))
    naive.batches.removeLast(4)
    expectSame(index, naive, &random)
    try index.verify()
    #expect(try index.contentHash == self.hash(of: naive.entries))
  }

  @Test("segments and file stay small however batches come", arguments: [1, 7, 500])
  func bounds(size: Int) throws {
    var random = RandomStream(seed: 5, path: UInt64(size))
    let index = try PictureIndex(path, isWritable: true)
    let pool = SomeEntries.make(4000, &random)
    for batch in 0..<150 {
      let count = random.integer(below: 2) == 0 ? size : random.integer(below: 2 * size)
      try index.append(Array(pool.prefix(count)), batch: batch)
      // Seven of each tier at most: below 2,048 entries, 8,192, 32,768, 131,072, 524,288.
      #expect(index.segmentCount <= 7 * 5)
      // Twice what is in use, which is below 300 bytes an entry and a table of offsets, and 32 MiB.
      #expect(index.byteCount < 2 * (300 * index.count + (4 << 20)) + (33 << 20))
    }
    try index.verify()
  }

  @Test("several indexes become one, the first of equal pictures staying")
  func merging() throws {
    var random = RandomStream(seed: 6)
    let pool = SomeEntries.make(400, &random)
    var all: [(source: Int, entry: PictureEntry)] = []
    let paths = try (0..<3).map { source in
      let path = "\(folder)/\(source)"
      let index = try PictureIndex(path, isWritable: true)
      for batch in 0..<3 {
        let new = (0..<100).map { _ in
          var entry = pool[random.integer(below: pool.count)]
          entry.row = random.integer(below: 1000)
          return entry
        }
        try index.append(new, batch: batch)
        all += new.map { (source, $0) }
      }
      return path
    }
    var kept: [(source: Int, entry: PictureEntry)] = []
    for (source, entry) in all {
      let isThere = kept.contains {
        $0.entry.digest == entry.digest && $0.entry.signature == entry.signature
      }
      if !isThere { kept.append((source, entry)) }
    }
    try PictureIndex.merge(paths, into: path)
    let naive = NaiveIndex(
      batches: (0..<3).map { source in
        (source, kept.filter { $0.source == source }.map(\.entry))
      })
    let merged = try PictureIndex(path, isWritable: false)
    expectSame(merged, naive, &random)
    try merged.verify()
    // Into one of them, and of none.
    try PictureIndex.merge(paths, into: paths[1])
    #expect(try PictureIndex(paths[1], isWritable: false).contentHash == merged.contentHash)
    try PictureIndex.merge([], into: path)
    #expect(try PictureIndex(path, isWritable: false).count == 0)
  }

  @Test("flipped bits are found by opening or verifying, or are in nothing that is used")
  func damage() throws {
    var random = RandomStream(seed: 7)
    var index: PictureIndex? = try PictureIndex(path, isWritable: true)
    for batch in 0..<5 {
      try index?.append(SomeEntries.make(20, &random), batch: batch)
    }
    let hash = index?.contentHash
    index = nil
    let bytes = try DurableFile.read(path)
    var found = 0
    for _ in 0..<300 {
      var damaged = bytes
      let place = random.integer(below: bytes.count)
      damaged[place] ^= 1 << UInt8(random.integer(below: 8))
      try DurableFile.write(damaged, to: path)
      do {
        let opened = try PictureIndex(path, isWritable: true)
        try opened.verify()
        #expect(opened.contentHash == hash, "byte \(place)")
      } catch is SegmentFileError { found += 1 }
    }
    #expect(found > 40)
  }

  @Test("bytes that were written so are told too: a segment with any byte changed does not verify")
  func forgeries() throws {
    var random = RandomStream(seed: 8)
    let source = try PictureIndex(path, isWritable: true)
    try source.append(SomeEntries.make(12, &random), batch: 0)
    let file = try SegmentFile(path, magic: PictureIndex.magic, isWritable: false)
    let bytes = Array(file.segments[0].bytes)
    let forged = folder + "/forged"
    var passed: Set<Int> = []
    // All of the head, and of the rest a few: each takes some fsyncs.
    for place in bytes.indices
    where place < 160 || place % 5 == 0 || place >= bytes.count - 12 * 12 {
      var changed = bytes
      changed[place] ^= 1 << UInt8(random.integer(below: 8))
      let writer = try SegmentFile(forged, magic: PictureIndex.magic, isWritable: true)
      _ = try writer.rewind(to: 0)
      try writer.append([.init(kind: 1, batches: 0...0, bytes: changed)])
      do {
        let index = try PictureIndex(forged, isWritable: false)
        _ = index.matches(of: [0], radius: 16, threads: 1)
        _ = index.entries(withDigests: [Name128(high: 0, low: 0)])
        try index.verify()
        passed.insert(place)
      } catch is PictureIndexError {}
      if place % 200 == 0 { try writer.compact() }
    }
    // A word of the head is spare, and the half word behind an odd number of ids; nothing else is.
    #expect(
      passed.isSubset(of: Set(56..<64).union(bytes.count - 4..<bytes.count)), "\(passed.sorted())")
  }

  @Test("signatures of another size are no damage, and said so")
  func otherSignatures() throws {
    let source = try PictureIndex(path, isWritable: true)
    try source.append([], batch: 0)
    let file = try SegmentFile(path, magic: PictureIndex.magic, isWritable: false)
    var bytes = Array(file.segments[0].bytes)
    bytes[40] += 1
    let other = folder + "/other"
    try SegmentFile(other, magic: PictureIndex.magic, isWritable: true)
      .append([.init(kind: 1, batches: 0...0, bytes: bytes)])
    let error = #expect(throws: PictureIndexError.self) {
      try PictureIndex(other, isWritable: false)
    }
    #expect(error == PictureIndexError(.otherSignatures, path: other))
  }
}
