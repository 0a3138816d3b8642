import DurableFiles
import Foundation
import PairDataset
import ParquetFile
import PipelineCore
import ShardMaintenance
import Testing

/// What goes into `reshard` and must come out of it unharmed.
@Suite struct ReshardInputTests {
  let fixture: ReshardTests
  var folder: String { fixture.folder }

  init() throws { fixture = try ReshardTests() }

  @Test("no input is cleared away, however it is named, and no folder of somebody else's")
  func inputs() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let source = try fixture.source()
    let part = folder + "/sub.part"
    try FileManager.default.moveItem(atPath: folder + "/source", toPath: part)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/link", withDestinationPath: part)
    let names = source.compactMap { $0.split(separator: "/").last }
    let before = try DurableFile.names(in: part)
    for place in ["/sub.part", "/link", "/./link/../sub.part"] {
      #expect(throws: ReshardError.self, "\(place)") {
        try Resharder.reshard(
          names.map { "\(folder)\(place)/\($0)" }, to: folder + "/sub",
          options: ReshardOptions(maxPairs: 10))
      }
      #expect(try DurableFile.names(in: part) == before)
    }
    // A folder that only has such a name.
    try DurableFile.makeFolder(folder + "/mine.part")
    try DurableFile.write("thesis", to: folder + "/mine.part/thesis.txt")
    #expect(throws: ReshardError.foreignPart(folder + "/mine.part")) {
      try Resharder.reshard(
        names.map { "\(part)/\($0)" }, to: folder + "/mine", options: ReshardOptions(maxPairs: 10))
    }
    #expect(DurableFile.exists(folder + "/mine.part/thesis.txt"))
    // One that was killed before its marker had its name is ours.
    try DurableFile.makeFolder(folder + "/new.part")
    try DurableFile.write([], to: folder + "/new.part/.pairloom-part.1.1.tmp")
    _ = try Resharder.reshard(
      names.map { "\(part)/\($0)" }, to: folder + "/new", options: ReshardOptions(maxPairs: 10))
    #expect(try DurableFile.names(in: folder + "/new").allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("a slash behind the output's name changes nothing, and no marker is left")
  func slash() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try fixture.source()
    for (out, name) in [("/a", "a"), ("/b//", "b")] {
      _ = try Resharder.reshard(shards, to: folder + out, options: ReshardOptions(maxPairs: 50))
      #expect(
        try DurableFile.names(in: "\(folder)/\(name)")
          == ["00000.idx", "00000.tar.lz4", "dataset.json", "sizes.json"])
    }
    #expect(try DurableFile.names(in: folder) == ["a", "b", "source"])
  }

  @Test("ids find pairs whose texts are packed")
  func packed() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func gzip(_ text: String) throws -> [UInt8] {
      let file = folder + "/text"
      try DurableFile.write(text, to: file)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["gzip", "-n", file]
      try process.run()
      process.waitUntilExit()
      defer { try? FileManager.default.removeItem(atPath: file + ".gz") }
      return try DurableFile.read(file + ".gz")
    }
    let writer = try ShardWriter(folder: folder, name: "packed", compression: .none)
    for number in 0..<4 {
      try writer.append(
        ShardSample(
          key: "k\(number)",
          members: [
            .init(suffix: "jpg", data: MaintenanceWeb.picture(number)),
            .init(
              suffix: "json.gz",
              data: try gzip(
                number < 2
                  ? "{\"uid\":\"\(ReshardTests.uid(number))\"}"
                  : "{\"url\":\"http://a.test/\(number)\"}")),
            .init(suffix: "txt.gz", data: try gzip("caption \(number)")),
          ]))
    }
    let shard = folder + "/" + (try writer.finish().file)
    let other = PairIdentity.uid(normalizedURL: "http://a.test/3", caption: "caption 3")
    try DurableFile.write("\(ReshardTests.uid(1))\n\(other)\n", to: folder + "/ids")
    let outcome = try Resharder.reshard(
      [shard], to: folder + "/out", options: ReshardOptions(maxPairs: 9),
      ids: try UIDList(path: folder + "/ids"))
    #expect(outcome.missing == 0)
    #expect(try fixture.samples(folder + "/out").flatMap { $0 }.map(\.key) == ["k1", "k3"])
  }

  @Test("of many missing uids a count and the first are told, numbers and others in one order")
  func missing() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let others = ["zebra", "0-first", "1aa", "yak"]
    let all = others + (0..<20).map { ReshardTests.uid($0) }
    try DurableFile.write(all.joined(separator: "\n"), to: folder + "/ids")
    var list = try UIDList(path: folder + "/ids")
    let takes = ["yak", ReshardTests.uid(0)].map { list.take($0) }
    #expect(takes == [true, true])
    let left = all.filter { !["yak", ReshardTests.uid(0)].contains($0) }.sorted()
    #expect(list.missingCount == left.count)
    for count in [0, 1, 5, 21, 100] {
      #expect(list.firstMissing(count) == Array(left.prefix(count)))
    }
  }

  @Test("the manifest's digest tells other ids and other inputs apart, and the same from none")
  func digest() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try fixture.source()
    var count = 0
    func digest(_ shards: [String], ids: [Int]? = nil) throws -> String {
      count += 1
      let list = folder + "/ids\(count)"
      if let ids {
        try DurableFile.write(ids.map { ReshardTests.uid($0) + "\n" }.joined(), to: list)
      }
      let out = "\(folder)/out\(count)"
      _ = try Resharder.reshard(
        shards, to: out, options: ReshardOptions(maxPairs: 9),
        ids: try ids.map { _ in try UIDList(path: list) })
      return try DatasetManifest.read(out + "/dataset.json").recipeSHA256
    }
    let all = try digest(shards)
    #expect(try digest(shards) == all)
    let some = try digest(shards, ids: [1, 2])
    #expect(some != all)
    #expect(try digest(shards, ids: [2, 1, 1]) == some)
    #expect(try digest(shards, ids: [1, 3]) != some)
    // Another shard of the same name.
    let other = try ShardWriter(folder: folder, name: "s0", compression: .lz4)
    for number in 0..<3 { try other.append(ReshardTests.sample(number)) }
    #expect(try digest([folder + "/" + (try other.finish().file)] + shards.dropFirst()) != all)
  }

  @Test("of two rows with a key the one that is in the shard goes along")
  func rows() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shard = try fixture.source()[1]
    let keys = try ShardReader(path: shard).keys
    let columns = [TableColumn("key", .text), TableColumn("status", .text), TableColumn("n", .int)]
    func row(_ key: String, _ status: String, _ number: Int) -> JSONValue {
      .object([
        .init("key", .string(key)), .init("status", .string(status)), .init("n", .int(number)),
      ])
    }
    let kept = keys.enumerated().map { row($1, "success", $0) }
    let dropped = keys.map { row($0, "failed_to_download", -1) }
    for (number, table) in [dropped + kept, kept + dropped].enumerated() {
      try PairTable.write(table, columns: columns, to: folder + "/source/s1.parquet")
      let out = "\(folder)/rows\(number)"
      _ = try Resharder.reshard([shard], to: out, options: ReshardOptions(maxPairs: 99))
      #expect(try PairTable.read(out + "/00000.parquet") == kept)
    }
    // Without a status the first counts.
    let bare = [TableColumn("key", .text), TableColumn("n", .int)]
    func bareRow(_ key: String, _ number: Int) -> JSONValue {
      .object([.init("key", .string(key)), .init("n", .int(number))])
    }
    let first = keys.map { bareRow($0, 1) }
    try PairTable.write(
      first + keys.map { bareRow($0, 2) }, columns: bare, to: folder + "/source/s1.parquet")
    _ = try Resharder.reshard([shard], to: folder + "/bare", options: ReshardOptions(maxPairs: 99))
    #expect(try PairTable.read(folder + "/bare/00000.parquet") == first)
  }
}
