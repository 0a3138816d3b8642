import DurableFiles
import Foundation
import PairDataset
import Testing

/// Other programs read our shards, and we read theirs.
@Suite struct ShardInteroperabilityTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-tools-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  @Test("lz4 -dc | tar lists and unpacks every member, long and foreign names included")
  func lz4AndTar() throws {
    let wide = String(repeating: "ä", count: 60)
    let long = "ordner\(wide)/\(wide)"
    var pairs = (0..<60).map { TestPairs.pair($0) }
    pairs[3].key = String(repeating: "k", count: 120)
    pairs[4].key = long
    pairs[5].key = "a/" + String(repeating: "p", count: 90)
    pairs[6].image = []
    let writer = try ShardWriter(folder: folder, name: "00000", compression: .lz4)
    for pair in pairs { try writer.append(pair) }
    let path = folder + "/" + (try writer.finish().file)
    let listing = try ShardTools.run(
      "lz4 -dc \(path) | tar --quoting-style=literal -tv --numeric-owner")
    let names = listing.split(separator: "\n").map { String($0.split(separator: " ")[5]) }
    #expect(names == pairs.flatMap { ["\($0.key).jpg", "\($0.key).json", "\($0.key).txt"] })
    #expect(
      listing.split(separator: "\n").allSatisfy { $0.hasPrefix("-rw-r--r-- 0/0 ") },
      "owner and mode say nothing of the machine")
    _ = try ShardTools.run("cd \(folder) && lz4 -dc \(path) | tar x")
    for pair in [pairs[0], pairs[4], pairs[59]] {
      #expect(try DurableFile.read("\(folder)/\(pair.key).jpg") == pair.image)
      #expect(try DurableFile.read("\(folder)/\(pair.key).txt") == Array(pair.caption.utf8))
    }
    // Each frame stands alone and is checked by lz4's own test.
    #expect(try ShardTools.run("lz4 -tv \(path)").contains("decoded"))
    #expect(try ShardReader(path: path).keys == pairs.map(\.key))
  }

  @Test(
    "tars of other programs are read: GNU, ustar, pax and v7, plain and in one LZ4 frame",
    arguments: ["gnu", "ustar", "pax", "v7"], [false, true])
  func foreign(format: String, compressed: Bool) throws {
    let long = format == "v7" || format == "ustar" ? 80 : 140
    let keys = ["000", String(repeating: "n", count: long), "002"]
    let source = folder + "/source"
    try DurableFile.makeFolder(source + "/sub")
    for (number, key) in keys.enumerated() {
      try DurableFile.write("caption \(number)", to: "\(source)/\(key).txt")
      try DurableFile.write("picture \(number)", to: "\(source)/\(key).JPEG")
      try DurableFile.write("class", to: "\(source)/\(key).cls")
    }
    try DurableFile.write("no pair", to: source + "/README")
    try DurableFile.write("no picture", to: source + "/sub/x.txt")
    let members = keys.flatMap { ["\($0).JPEG", "\($0).cls", "\($0).txt"] }.joined(separator: " ")
    var path = folder + "/foreign.tar"
    _ = try ShardTools.run(
      "cd \(source) && tar -c --format=\(format) -f \(path) README sub \(members)")
    if compressed {
      _ = try ShardTools.run("lz4 -q \(path) \(path).lz4")
      path += ".lz4"
    }
    let reader = try ShardReader(path: path)
    #expect(reader.keys == keys)
    let expected = keys.indices.map {
      Pair(
        key: keys[$0], caption: "caption \($0)", image: Array("picture \($0)".utf8),
        imageExtension: "jpeg", metadata: [])
    }
    #expect(try keys.indices.map { try reader.pair(at: $0) } == expected)
    var seen: [Pair] = []
    try reader.forEach { seen.append($0) }
    #expect(seen == expected)
  }

  @Test("a key that comes again with the same suffix begins a new pair, as in open_clip")
  func collisions() throws {
    // LAION-400M has shards where two samples of one key stand side by side.
    let source = folder + "/source"
    for part in ["a", "b"] {
      try DurableFile.makeFolder("\(source)/\(part)")
      try DurableFile.write("picture \(part)", to: "\(source)/\(part)/7.jpg")
      try DurableFile.write("caption \(part)", to: "\(source)/\(part)/7.txt")
    }
    let path = folder + "/x.tar"
    _ = try ShardTools.run(
      "cd \(source)/a && tar cf \(path) 7.jpg 7.txt && cd ../b && tar rf \(path) 7.jpg 7.txt")
    let reader = try ShardReader(path: path)
    #expect(reader.keys == ["7", "7"])
    #expect(try reader.pair(at: 1).caption == "caption b")
    #expect(try reader.pair(at: 0).image == Array("picture a".utf8))
  }
}
