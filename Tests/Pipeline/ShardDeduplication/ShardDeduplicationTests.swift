import Deduplication
import DurableFiles
import Foundation
import PairDataset
import PictureIndex
import PipelineCore
import SeededRandom
import ShardDeduplication
import ShardMaintenance
import Testing

@Suite struct ShardDeduplicationTests {
  static func options(
    _ kind: DuplicateRules.Kind = .exact, pairs: Int = 200, threads: Int = 2
  ) -> ShardDeduplicationOptions {
    var rules = DuplicateRules()
    rules.kind = kind
    return ShardDeduplicationOptions(
      rules: rules, cut: ReshardOptions(maxPairs: pairs), threads: threads, worker: nil)
  }

  @Test("a folder that another process works on, and one of two meanings, are refused")
  func refused() throws {
    let world = try DuplicateWorld(20, seed: 9, isForeign: false)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 10)
    let out = world.folder + "/out"
    try DurableFile.makeFolder(out + ".part")
    let marker = out + ".part/.pairloom-dedup"
    try DurableFile.write([], to: marker)
    let held = open(marker, O_RDWR | O_CLOEXEC)
    #expect(held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0)
    #expect(throws: ShardDeduplicationError.inUse(out + ".part")) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    }
    #expect(flock(held, LOCK_UN) == 0 && close(held) == 0)
    _ = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())

    let mixed = world.folder + "/mixed"
    try DurableFile.makeFolder(mixed)
    try FileManager.default.copyItem(atPath: shards[0], toPath: mixed + "/00000.tar.lz4")
    try DurableFile.write(try world.body(0), to: mixed + "/preview.jpg")
    #expect(throws: ShardDeduplicationError.mixedFolder(mixed)) {
      try IndexMaker.make(from: [mixed], to: world.folder + "/m.index", threads: 1, worker: nil)
    }
  }

  @Test(
    "equal bytes: the first of each stays, every member as it was, and the table tells each pair's fate",
    arguments: [false, true])
  func exact(isForeign: Bool) throws {
    let world = try DuplicateWorld(700, seed: 5, isForeign: isForeign)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 150)
    let out = world.folder + "/out"
    let outcome = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    let kept = world.keptByBytes
    #expect(outcome.read == 700 && outcome.kept == kept.count)
    #expect(outcome.dropped == ["duplicate_bytes": 700 - kept.count])
    #expect(outcome.undecoded.values.reduce(0, +) == world.kinds.count { $0 == .cut })
    #expect(try samples(out) == kept.map { try world.sample($0) })
    let rows = try PairTable.read(out + "/duplicates.parquet")
    #expect(rows.count == 700)
    for (row, told) in rows.enumerated() {
      #expect(told["row"]?.integer == row)
      #expect(told["key"]?.text == (try world.sample(row)).key)
      #expect(told["shard"]?.text == shards[row / 150].split(separator: "/").last.map(String.init))
      guard case .bytes(let original) = world.kinds[row] else {
        #expect(told["kept"] == .bool(true) && told["drop"] == nil)
        #expect((told["note"] != nil) == (world.kinds[row] == .cut))
        let place = kept.firstIndex(of: row) ?? -1
        #expect(told["new_shard"]?.text == "\(RunFolder.digits(place / 200)).tar.lz4")
        continue
      }
      #expect(told["kept"] == .bool(false) && told["drop"]?.text == "duplicate_bytes")
      #expect(told["of"]?.integer == original && told["new_shard"] == nil)
      #expect(told["of_key"]?.text == (try world.sample(original)).key)
      #expect(told["distance"]?.integer == 0 && told["difference"]?.integer == 0)
    }
    let bytes = try (0..<700).map { row in
      try world.sample(row).members.reduce(0) { $0 + $1.data.count }
    }
    #expect(outcome.bytesRead == bytes.reduce(0, +))
    #expect(outcome.bytesDropped == bytes.reduce(0, +) - kept.reduce(0) { $0 + bytes[$1] })
    // The largest group is the original with most copies, the earliest of several.
    let copies = Dictionary(
      world.kinds.compactMap { kind -> (Int, Int)? in
        if case .bytes(let original) = kind { (original, 1) } else { nil }
      }, uniquingKeysWith: +)
    let largest = try #require(copies.min { ($1.value, $0.key) < ($0.value, $1.key) })
    #expect(outcome.groups.first?.row == largest.key)
    #expect(outcome.groups.first?.dropped == largest.value)
    #expect(try DurableFile.names(in: world.folder).sorted() == ["out", "source"])
  }

  @Test("one core or several write the same bytes, and so does a call that was stopped anywhere")
  func sameBytes() throws {
    let world = try DuplicateWorld(2_300, seed: 6)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 600)
    let calm = world.folder + "/calm"
    _ = try ShardDeduplicator.deduplicate(shards, to: calm, options: Self.options(threads: 1))
    let expected = try files(calm)
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    for attempt in 0..<4 {
      let out = "\(world.folder)/out\(attempt)"
      // Stops as a kill would, at any pair of any pass; what it then finds is a folder half done.
      struct Stop: Error {}
      var steps = random.integer(below: 2_300 * 2 + 3)
      #expect(throws: Stop.self) {
        try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options()) { _ in
          steps -= 1
          if steps < 0 { throw Stop() }
        }
      }
      #expect(try DurableFile.names(in: out).isEmpty)
      _ = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
      let found = try files(out)
      #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
      for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
      #expect(!DurableFile.exists(out + ".part"))
    }
  }

  @Test("what was looked at is not looked at again")
  func resumed() throws {
    let world = try DuplicateWorld(2_300, seed: 7)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 700)
    let out = world.folder + "/out"
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options()) { step in
        if case .examined(2_100) = step { throw Stop() }
      }
    }
    var looked: [Int] = []
    _ = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options()) { step in
      if case .examined(let count) = step { looked.append(count) }
    }
    // Two batches of 1,000 were durable.
    #expect(looked == Array(2_001...2_300))
  }

  @Test("other options are refused with what differs; the same again find all done")
  func options() throws {
    let world = try DuplicateWorld(50, seed: 8)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 30)
    let out = world.folder + "/out"
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options()) { step in
        if case .copied(20, _, _) = step { throw Stop() }
      }
    }
    var other = Self.options(pairs: 10)
    other.rules.radius = 8
    let differences = ["radius: was 6, now 8", "pairs: was 200, now 10"]
    #expect(
      throws: ShardDeduplicationError.otherOptions(path: out + ".part", differences: differences)
    ) { try ShardDeduplicator.deduplicate(shards, to: out, options: other) }
    let first = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    #expect(
      throws: ShardDeduplicationError.otherOptions(path: out, differences: differences)
    ) { try ShardDeduplicator.deduplicate(shards, to: out, options: other) }
    #expect(throws: ShardDeduplicationError.self) {
      try ShardDeduplicator.deduplicate([shards[0]], to: out, options: Self.options())
    }
    let before = try files(out)
    var again = try ShardDeduplicator.deduplicate(
      shards, to: out + "/", options: Self.options(threads: 1))
    #expect(again.wasComplete)
    again.wasComplete = false
    #expect(again == first)
    #expect(try files(out) == before)
  }

  @Test("nothing of somebody else's is cleared or written over")
  func others() throws {
    let world = try DuplicateWorld(20, seed: 9)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 20)
    let out = world.folder + "/out"
    try DurableFile.makeFolder(out)
    try DurableFile.write("thesis", to: out + "/thesis.txt")
    #expect(throws: ShardDeduplicationError.outputExists(out)) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    }
    let part = world.folder + "/new.part"
    try DurableFile.makeFolder(part)
    try DurableFile.write("thesis", to: part + "/thesis.txt")
    #expect(throws: ShardDeduplicationError.foreignPart(part)) {
      try ShardDeduplicator.deduplicate(
        shards, to: world.folder + "/new", options: Self.options())
    }
    #expect(try DurableFile.names(in: part) == ["thesis.txt"])
    #expect(throws: ShardDeduplicationError.self) {
      try ShardDeduplicator.deduplicate(
        shards, to: world.folder + "/source", options: Self.options())
    }
  }

  @Test("a damaged shard is named with its place, and so is one that was changed meanwhile")
  func damaged() throws {
    let world = try DuplicateWorld(60, seed: 10, isForeign: true)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 20)
    let out = world.folder + "/out"
    let whole = try DurableFile.read(shards[1])
    try DurableFile.write(Array(whole.prefix(whole.count / 2 + 100)), to: shards[1])
    let error = try #require(throws: ShardError.self) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    }
    #expect(error.shard == shards[1])
    try DurableFile.write(whole, to: shards[1])
    // The folder was bound to the sizes of what was there.
    #expect(throws: ShardDeduplicationError.self) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    }
    try FileManager.default.removeItem(atPath: out + ".part")
    var changed = false
    #expect(throws: ShardDeduplicationError.changed(shard: shards[1], key: "x00000020")) {
      try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options()) { step in
        guard case .judged = step, !changed else { return }
        changed = true
        // The same size, another key.
        let name = Array("000000020.".utf8)
        var bytes = whole
        for place in stride(from: 0, to: bytes.count, by: 512)
        where bytes[place...].starts(with: name) {
          bytes[place] = UInt8(ascii: "x")
          bytes.replaceSubrange(place + 148..<place + 156, with: Self.checksum(bytes, at: place))
        }
        try DurableFile.write(bytes, to: shards[1])
      }
    }
  }

  /// The checksum field of a tar's header.
  private static func checksum(_ bytes: [UInt8], at place: Int) -> [UInt8] {
    var header = Array(bytes[place..<place + 512])
    for index in 148..<156 { header[index] = 0x20 }
    let sum = header.reduce(0) { $0 + Int($1) }
    return Array(String(format: "%06o", sum).utf8) + [0, 0x20]
  }

  @Test("the index holds what is kept, in order, and is what the next call goes by")
  func index() throws {
    let world = try DuplicateWorld(400, seed: 11)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 400)
    let out = world.folder + "/out"
    _ = try ShardDeduplicator.deduplicate(shards, to: out, options: Self.options())
    let index = try PictureIndex(out + "/pictures.index", isWritable: false)
    try index.verify()
    var rows: [Int] = []
    var unseen = 0
    index.forEach { _, entry in
      rows.append(entry.row)
      if entry.signature == nil { unseen += 1 }
    }
    #expect(rows == world.keptByBytes)
    #expect(unseen == world.kinds.count { $0 == .cut })
    let made = world.folder + "/made.index"
    let outcome = try IndexMaker.make(from: [out], to: made, threads: 2, worker: nil)
    #expect(outcome.pictures == world.keptByBytes.count && outcome.undecoded == unseen)
    #expect(try PictureIndex(made, isWritable: false).count == rows.count)
    #expect(throws: ShardDeduplicationError.outputExists(made)) {
      try IndexMaker.make(from: [out], to: made, threads: 2, worker: nil)
    }
  }
}
