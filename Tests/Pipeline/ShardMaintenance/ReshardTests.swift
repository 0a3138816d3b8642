import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import ShardMaintenance
import Testing

@Suite struct ReshardTests {
  let folder = FileManager.default.temporaryDirectory.path + "/reshard-" + UUID().uuidString

  init() throws { try DurableFile.makeFolder(folder) }

  /// Pair `number` with a member that Pairloom knows nothing of.
  static func sample(_ number: Int) -> ShardSample {
    let uid = String(repeating: "0", count: 28) + String(format: "%04x", number)
    return ShardSample(
      key: "k\(number)",
      members: [
        .init(suffix: "cls", data: Array("\(number % 7)".utf8)),
        .init(suffix: "jpg", data: MaintenanceWeb.picture(number)),
        .init(suffix: "json", data: Array("{\"uid\": \"\(uid)\", \"n\": \(number)}".utf8)),
        .init(suffix: "txt", data: Array("caption \(number)".utf8)),
      ])
  }

  static func uid(_ number: Int) -> String {
    String(repeating: "0", count: 28) + String(format: "%04x", number)
  }

  /// Forty samples in four shards, one of each compression that is written.
  func source() throws -> [String] {
    let place = folder + "/source"
    try DurableFile.makeFolder(place)
    return try (0..<4).map { shard in
      let compression: ShardCompression = shard % 2 == 0 ? .lz4 : .none
      let writer = try ShardWriter(folder: place, name: "s\(shard)", compression: compression)
      for number in 10 * shard..<10 * shard + 10 { try writer.append(Self.sample(number)) }
      return "\(place)/\(try writer.finish().file)"
    }
  }

  func samples(_ out: String) throws -> [[ShardSample]] {
    try DatasetManifest.read(out + "/dataset.json").shards.map { shard in
      var found: [ShardSample] = []
      try ShardReader(path: "\(out)/\(shard.file)").forEachSample { found.append($0) }
      return found
    }
  }

  @Test("by count: every member byte for byte, dense numbers, the last shard short, twice the same")
  func count() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try source()
    let out = folder + "/out"
    // What an interrupted command has left is cleared, and nothing else.
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try Resharder.reshard(shards, to: out, options: ReshardOptions(maxPairs: 5)) { read, _ in
        if read == 12 { throw Stop() }
      }
    }
    #expect(DurableFile.exists(out + ".part/00001.tar.lz4"))
    let outcome = try Resharder.reshard(shards, to: out, options: ReshardOptions(maxPairs: 15))
    #expect(outcome.shards.map(\.pairs) == [15, 15, 10])
    #expect(outcome.shards.map(\.file) == ["00000.tar.lz4", "00001.tar.lz4", "00002.tar.lz4"])
    #expect(try samples(out).flatMap { $0 } == (0..<40).map { Self.sample($0) })
    #expect(!DurableFile.exists(out + ".part"))
    #expect(
      try JSONValue.parse(try DurableFile.read(out + "/sizes.json")).members.map(\.value.integer)
        == [15, 15, 10])
    let again = folder + "/again"
    _ = try Resharder.reshard(shards, to: again, options: ReshardOptions(maxPairs: 15))
    for name in try DurableFile.names(in: out) {
      #expect(try DurableFile.read("\(out)/\(name)") == DurableFile.read("\(again)/\(name)"))
    }
    #expect(throws: ReshardError.outputExists(out)) {
      try Resharder.reshard(shards, to: out, options: ReshardOptions(maxPairs: 15))
    }
  }

  @Test("by bytes no tar is larger; a seed gives an order of its own that comes again")
  func bytesAndShuffle() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try source()
    let out = folder + "/out"
    let outcome = try Resharder.reshard(
      shards, to: out, options: ReshardOptions(maxBytes: 20_000, compression: .none))
    #expect(outcome.shards.count > 3)
    #expect(outcome.shards.allSatisfy { $0.bytes <= 20_000 })
    #expect(try samples(out).flatMap { $0 } == (0..<40).map { Self.sample($0) })
    var orders: [[String]] = []
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] as [(String, UInt64)] {
      _ = try Resharder.reshard(
        shards, to: folder + "/" + name, options: ReshardOptions(maxPairs: 40, shuffleSeed: seed))
      orders.append(try samples(folder + "/" + name)[0].map(\.key))
    }
    #expect(orders[0] == orders[1])
    #expect(orders[0] != orders[2])
    #expect(orders[0].sorted() == (0..<40).map { "k\($0)" }.sorted())
    #expect(orders[0] != (0..<40).map { "k\($0)" })
  }

  @Test(
    "by ids, as text or as DataComp's .npy; what is not there is told", arguments: [true, false])
  func ids(isNumpy: Bool) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try source()
    let wanted = [3, 17, 17, 39, 500]
    let path = folder + "/ids"
    if isNumpy {
      try DurableFile.write(Self.numpy(Set(wanted).sorted().map { (0, UInt64($0)) }), to: path)
    } else {
      // The order of a list by hand is its own.
      try DurableFile.write(wanted.reversed().map { Self.uid($0) + "\n" }.joined(), to: path)
    }
    let outcome = try Resharder.reshard(
      shards, to: folder + "/out", options: ReshardOptions(maxPairs: 100),
      ids: try UIDList(path: path))
    #expect(try samples(folder + "/out").flatMap { $0 }.map(\.key) == ["k3", "k17", "k39"])
    #expect(outcome.missing == 1)
    #expect(outcome.firstMissing == [Self.uid(500)])
    #expect(outcome.read == 40)
    try DurableFile.write(Self.uid(900), to: path)
    #expect(throws: ReshardError.nothingKept) {
      try Resharder.reshard(
        shards, to: folder + "/none", options: ReshardOptions(maxPairs: 100),
        ids: try UIDList(path: path))
    }
    #expect(!DurableFile.exists(folder + "/none"))
  }

  /// A file as `np.save` writes it, version 1.
  static func numpy(
    _ uids: [(UInt64, UInt64)], descr: String = "[('f0', '<u8'), ('f1', '<u8')]",
    shape: String? = nil
  ) -> [UInt8] {
    var header =
      "{'descr': \(descr), 'fortran_order': False, 'shape': \(shape ?? "(\(uids.count),)"), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array(header.utf8)
      + uids.flatMap { uid in
        [uid.0, uid.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
      }
  }

  @Test("an array that is none of uids is refused, whatever it claims")
  func badNumpy() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let good = Self.numpy([(1, 2), (3, 4)])
    var claims = good
    claims[8] = 255
    claims[9] = 255
    for (number, bytes) in [
      Array(good.dropLast()), good + [0], Array(good.prefix(9)), claims,
      Self.numpy([(1, 2)], shape: "(1152921504606846976,)"), Self.numpy([(1, 2)], shape: "(-1,)"),
      Self.numpy([(1, 2)], shape: "(1, 1)"), Self.numpy([(1, 2)], shape: "()"),
      Self.numpy([(1, 2)], descr: "'<u8'"), Self.numpy([(1, 2)], descr: "[('f0', '<u8')]"),
      Self.numpy([(1, 2)], descr: "[('f0', '<f8'), ('f1', '<u8')]"),
    ].enumerated() {
      try DurableFile.write(bytes, to: folder + "/bad.npy")
      #expect(throws: UIDListError.self, "file \(number)") {
        try UIDList(path: folder + "/bad.npy")
      }
    }
    try DurableFile.write(good, to: folder + "/good.npy")
    var list = try UIDList(path: folder + "/good.npy")
    #expect(list.count == 2)
    let taken = ["00000000000000010000000000000002", "00000000000000010000000000000003"]
      .map { list.take($0) }
    #expect(taken == [true, false])
    #expect(list.missingCount == 1)
    #expect(list.firstMissing(5) == ["00000000000000030000000000000004"])
  }

  @Test("the rows of the tables go along, and pairs of one key get another")
  func tables() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let web = try MaintenanceWeb()
    try await web.run("run", ["layout=img2dataset"])
    let run = web.folder + "/run/shards/"
    let shards = ["00000.tar", "00001.tar", "00002.tar"].map { run + $0 }
    let outcome = try Resharder.reshard(
      shards, to: folder + "/out", options: ReshardOptions(maxPairs: 7))
    #expect(outcome.withoutTables == nil)
    let kept = try (0..<3).flatMap { try PairTable.read("\(run)0000\($0).parquet") }
      .filter { $0["status"]?.text == "success" }
    let carried = try outcome.shards.indices.flatMap {
      try PairTable.read("\(folder)/out/0000\($0).parquet")
    }
    #expect(carried == kept)
    // The same shard twice: its keys come twice, and the tables follow.
    let twice = try Resharder.reshard(
      [shards[0], shards[0]], to: folder + "/twice", options: ReshardOptions(maxPairs: 100))
    #expect(twice.renamed == twice.pairs / 2)
    let keys = try ShardReader(path: folder + "/twice/00000.tar.lz4").keys
    #expect(Set(keys).count == twice.pairs)
    #expect(
      try PairTable.read(folder + "/twice/00000.parquet").map { $0["key"]?.text } == keys)
    // One shard without a table: none goes along, and it is said.
    let without = try Resharder.reshard(
      shards + (try source()), to: folder + "/mixed", options: ReshardOptions(maxPairs: 100))
    #expect(without.withoutTables?.contains("have no table") == true)
  }
}
