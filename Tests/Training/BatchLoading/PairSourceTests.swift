import BatchLoading
import Foundation
import ImageCodec
import PairDataset
import TestTools
import Testing

/// Foreign WebDataset tars in a folder of their own.
struct ForeignTars {
  let folder = NSTemporaryDirectory() + "foreign-" + UUID().uuidString

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.

  static func png(_ number: Int) throws -> [UInt8] {
    try ImageEncoder.png(ImagePreprocessingTests.picture(width: 9 + number % 4, height: 11))
  }

  /// The members of pairs with texts.
  static func pairs(_ numbers: Range<Int>) throws -> [(name: String, data: [UInt8])] {
    try numbers.flatMap {
      [("k\($0).png", try png($0)), ("k\($0).txt", Array("caption \($0)".utf8))]
    }
  }

  /// Three tars of four pairs.
  static func three() throws -> ForeignTars {
    let tars = try ForeignTars()
    for shard in 0..<3 {
      try TinyTar.write(
        try pairs(shard * 4..<shard * 4 + 4), to: "\(tars.folder)/0000\(shard).tar")
    }
    return tars
  }
}

@Suite struct PairSourceTests {
  @Test(
    "captions are found where makers of WebDatasets put them; what has none is told and left out")
  func captions() throws {
    let tars = try ForeignTars()
    defer { tars.remove() }
    let png = try ForeignTars.png(0)
    let long = String(repeating: "deep/", count: 40) + "long"
    try TinyTar.write(
      [
        ("a.png", png), ("a.txt", Array("of txt".utf8)), ("a.json", Array("{}".utf8)),
        ("b.caption", Array("of caption".utf8)), ("b.png", png),
        ("c.PNG", png), ("c.text", Array("of text".utf8)),
        ("d.png", png), ("d.json", Array(#"{"url": "u", "caption": "of json"}"#.utf8)),
        ("lonely.png", png), ("words.txt", Array("no picture".utf8)),
        ("\(long).png", png), ("\(long).txt", Array("of a long name".utf8)),
        ("e.png", png), ("e.json", Array(#"{"caption": null}"#.utf8)),
      ], to: tars.folder + "/x.tar")
    let source = try PairSource([DataSource(path: tars.folder + "/x.tar")])
    #expect((0..<source.count).map(source.key(at:)) == ["a", "b", "c", "d", long, "e"])
    let captions = try (0..<5).map { try source.pair(at: $0).caption }
    #expect(captions == ["of txt", "of caption", "of text", "of json", "of a long name"])
    #expect(throws: MissingCaption.self) { try source.pair(at: 5) }
    #expect(try source.caption(at: 5) == nil)
    #expect(source.notes.count == 2)
    #expect(source.notes.allSatisfy { $0.contains(": 1 ") })
  }

  @Test("a pattern, a folder and a list name the same pairs")
  func names() throws {
    let tars = try ForeignTars.three()
    defer { tars.remove() }
    func keys(_ paths: [String]) throws -> [String] {
      let source = try PairSource(paths.map { DataSource(path: $0) }, threads: 2)
      return (0..<source.count).map(source.key(at:))
    }
    let expected = (0..<12).map { "k\($0)" }
    #expect(try keys([tars.folder]) == expected)
    #expect(try keys([tars.folder + "/"]) == expected)
    #expect(try keys([tars.folder + "/{00000..00002}.tar"]) == expected)
    #expect(try keys((0..<3).map { "\(tars.folder)/0000\($0).tar" }) == expected)
    #expect(try keys([tars.folder + "/{00001..00002}.tar"]) == Array(expected[4...]))
  }

  @Test(
    "compressed tars of other programs give the same pairs", arguments: ["gzip", "zstd", "lz4"])
  func compressed(program: String) async throws {
    let tars = try ForeignTars.three()
    defer { tars.remove() }
    let plain = tars.folder + "/00000.tar"
    let packed = plain + "." + ["gzip": "gz", "zstd": "zst", "lz4": "lz4"][program, default: ""]
    _ = try await ChildProgram.run(
      "/usr/bin/env",
      [program] + (["gzip": ["-k"], "zstd": ["-q"]][program] ?? ["-q", "-m"]) + [plain])
    let (a, b) = (
      try PairSource([DataSource(path: plain)]), try PairSource([DataSource(path: packed)])
    )
    #expect(b.count == 4)
    for index in 0..<4 { #expect(try a.pair(at: index) == b.pair(at: index)) }
  }

  @Test("what is no shard, cut, or dangerous is an error that names it, before the first batch")
  func refused() throws {
    let tars = try ForeignTars()
    defer { tars.remove() }
    func error(_ name: String, _ bytes: [UInt8]) throws -> String {
      let path = tars.folder + "/" + name
      try Data(bytes).write(to: URL(filePath: path))
      var words = ""
      do { _ = try PairSource([DataSource(path: path)]) } catch { words = "\(error)" }
      #expect(words.contains(name), "\(words)")
      return words
    }
    let good = TinyTar.bytes(try ForeignTars.pairs(0..<3))
    #expect(
      try error("text.tar", Array(repeating: UInt8(ascii: "x"), count: 4096)).contains("no tar"))
    #expect(try error("cut.tar", Array(good.prefix(1300))).contains("cut"))
    #expect(try error("empty.tar", []).contains("cut"))
    #expect(try error("nothing.tar", TinyTar.bytes([])).contains("no pair"))
    let up = TinyTar.bytes([("../k.png", []), ("../k.txt", [])])
    #expect(try error("up.tar", up).contains("leads out"))
    let twice = TinyTar.bytes(try ForeignTars.pairs(0..<2) + ForeignTars.pairs(0..<1))
    #expect(try error("twice.tar", twice).contains("k0"))
    #expect(throws: (any Error).self) {
      try PairSource([DataSource(path: tars.folder + "/missing.tar")])
    }
    #expect(throws: (any Error).self) {
      try PairSource([DataSource(path: tars.folder + "/{00..03}.tar")])
    }
    try FileManager.default.createDirectory(
      atPath: tars.folder + "/bare", withIntermediateDirectories: true)
    #expect(throws: DataSourceError.self) {
      try PairSource([DataSource(path: tars.folder + "/bare")])
    }
  }

  @Test("the fingerprint tells weights and contents apart, and not the place")
  func fingerprint() throws {
    let (tars, copy) = (try ForeignTars.three(), try ForeignTars.three())
    defer {
      tars.remove()
      copy.remove()
    }
    func hash(_ sources: [DataSource]) throws -> String { try PairSource(sources).fingerprint }
    let whole = try hash([DataSource(path: tars.folder)])
    #expect(try hash([DataSource(path: copy.folder)]) == whole)
    #expect(try hash([DataSource(path: copy.folder, weight: 2)]) != whole)
    try TinyTar.write(
      try ForeignTars.pairs(0..<5), to: copy.folder + "/00000.tar")
    #expect(try hash([DataSource(path: copy.folder)]) != whole)
  }

  @Test(
    "batches of weighted sources are the same for any ranks and threads, from any position",
    arguments: 1...4, [1, 2, 5])
  func batches(world: Int, threads: Int) throws {
    let tars = try ForeignTars.three()
    let data = try MadeDataset(count: 9, broken: [4])
    defer {
      tars.remove()
      data.remove()
    }
    let sources = [
      DataSource(path: data.path, weight: 2), DataSource(path: tars.folder, weight: 0.5),
    ]
    func reader(_ threads: Int, cache: Int) throws -> SampleReader {
      SampleReader(
        source: try PairSource(sources),
        options: BatchOptions(
          globalBatch: 7, seed: 5, preprocessing: ImagePreprocessing(size: 8), cropScale: 0.3...1,
          cacheBytes: cache, decodeThreads: threads)
      ) { $0.utf8.map { Int32($0) } }
    }
    // 24 visits an epoch: batches of 7 cross its end.
    let whole = try BatchLoaderTests.batches(try reader(1, cache: 1 << 20), count: 9)
    let start = 2
    let parts = try (0..<world).map { rank in
      try BatchLoaderTests.batches(
        try reader(threads, cache: 0), from: start * 7, count: 9 - start, rank: rank, of: world)
    }
    for batch in start..<9 {
      let slices = parts.map { $0[batch - start] }
      #expect(slices.flatMap(\.keys) == whole[batch].keys)
      #expect(slices.flatMap(\.tokens) == whole[batch].tokens)
      #expect(slices.flatMap(\.visits) == whole[batch].visits)
      #expect(slices.flatMap(\.images.values) == whole[batch].images.values)
      #expect(slices.flatMap(\.replaced) == whole[batch].replaced)
    }
  }
}
