import BatchLoading
import Foundation
import PairDataset
import Testing

/// Pairs that vanish or rot while a run goes on.
@Suite struct ReplacementTests {
  /// Both sources of a run: shards of our own, and foreign ones.
  struct Sources {
    let data: MadeDataset
    let tars: ForeignTars

    init() throws {
      data = try MadeDataset(count: 9)
      tars = try ForeignTars.three()
    }

    func remove() {
      data.remove()
      tars.remove()
    }

    /// A reader that has opened all and read nothing.
    func reader() throws -> SampleReader {
      SampleReader(
        source: try PairSource([
          DataSource(path: data.path), DataSource(path: tars.folder),
        ]),
        options: BatchOptions(
          globalBatch: 21, seed: 2, preprocessing: ImagePreprocessing(size: 8), cacheBytes: 0)
      ) { _ in [] }
    }

    /// Its first epoch: each pair's key, or the key of what stands in for it.
    func epoch(_ reader: SampleReader) throws -> (keys: [Int: String], replaced: [ReplacedPair]) {
      let batch = try BatchLoaderTests.batches(reader, count: 1)[0]
      let keys = zip(batch.visits.map(\.index), batch.keys)
      return (Dictionary(uniqueKeysWithValues: Array(keys)), batch.replaced)
    }
  }

  enum Fault: CaseIterable {
    case vanished, cut, rotten
  }

  @Test(
    "a shard that is lost midway is replaced pair by pair from its own source",
    arguments: Fault.allCases)
  func midway(fault: Fault) throws {
    let sources = try Sources()
    defer { sources.remove() }
    let reader = try sources.reader()
    // Pairs 0, 1, 2 lie in this shard of LZ4, 3 … 8 in one beside it.
    let path = sources.data.folder + "/00000.tar.lz4"
    switch fault {
    case .vanished: try FileManager.default.removeItem(atPath: path)
    case .cut: try #require(truncate(path, 100) == 0)
    case .rotten:
      var bytes = try Data(contentsOf: URL(filePath: path))
      // Inside the block of the first frame, whose checksum then fails.
      bytes[bytes.startIndex + 40] ^= 0xFF
      try bytes.write(to: URL(filePath: path))
    }
    let (keys, replaced) = try sources.epoch(reader)
    #expect(Set(replaced.map(\.index)) == [0, 1, 2])
    #expect(replaced.allSatisfy { $0.by == 3 && $0.reason.contains("00000.tar.lz4") })
    #expect((0..<9).map { keys[$0] } == ["k3", "k3", "k3"] + (3..<9).map { "k\($0)" })
    // Another process, which meets the fault from the start of a shard's reading, takes the same.
    #expect(try sources.epoch(reader).replaced == replaced)
  }

  @Test("a foreign tar that is cut midway loses what is cut, the last pair goes over to the first")
  func foreign() throws {
    let sources = try Sources()
    defer { sources.remove() }
    let reader = try sources.reader()
    // Pairs 17 … 20 of the run; of the last two something is missing.
    let path = sources.tars.folder + "/00002.tar"
    let size = try #require(
      try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    try #require(truncate(path, size - 1024 - 2048 - 512) == 0)
    let replaced = try sources.epoch(reader).replaced.sorted { $0.index < $1.index }
    #expect(replaced.map { [$0.index, $0.by] } == [[19, 9], [20, 9]])
    #expect(replaced.allSatisfy { $0.reason.contains("are there") })
  }

  @Test("a source of which nothing is left ends the run by its name")
  func nothing() throws {
    let sources = try Sources()
    defer { sources.remove() }
    let reader = try sources.reader()
    try FileManager.default.removeItem(atPath: sources.tars.folder)
    let error = #expect(throws: NoReadablePair.self) { try sources.epoch(reader) }
    #expect(error?.source == sources.tars.folder)
  }

  static func line(_ step: Int, _ key: String) -> ReplacementLine {
    ReplacementLine(step: step, source: "s", key: key, why: "it is\n\"cut\"", standIn: "z")
  }

  @Test("the log tells of each pair once, and a resumed run neither repeats nor loses a line")
  func log() throws {
    let folder = NSTemporaryDirectory() + "log-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
    let path = folder + "/replaced.jsonl"
    func lines() throws -> [ReplacementLine] {
      try ReplacementLog.lines(Array(try Data(contentsOf: URL(filePath: path))))
    }
    let first = try ReplacementLog(path: path, keepingUpTo: 0)
    #expect(!FileManager.default.fileExists(atPath: path))
    try first.append([Self.line(1, "a"), Self.line(1, "b"), Self.line(1, "a")])
    try first.append([Self.line(4, "c"), Self.line(5, "b")])
    #expect(try lines() == [Self.line(1, "a"), Self.line(1, "b"), Self.line(4, "c")])
    // A crash in the middle of a line.
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(#"{"key":"d","st"#.utf8))
    try file.close()
    let second = try ReplacementLog(path: path, keepingUpTo: 3)
    #expect(try lines() == [Self.line(1, "a"), Self.line(1, "b")])
    try second.append([Self.line(4, "c"), Self.line(6, "a")])
    #expect(try lines() == [Self.line(1, "a"), Self.line(1, "b"), Self.line(4, "c")])
    try Data("{}\n".utf8).write(to: URL(filePath: path))
    let error = #expect(throws: DataSourceError.self) {
      try ReplacementLog(path: path, keepingUpTo: 3)
    }
    #expect(error?.source == path)
  }
}
