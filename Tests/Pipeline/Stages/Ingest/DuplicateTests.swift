import Foundation
import IngestStage
import PipelineCore
import SeededRandom
import Testing

@Suite struct DuplicateTests {
  @Test(
    "duplicates are those of a dictionary over the whole list, in any memory",
    arguments: [1, 2, 7, 1 << 20], [10, 300, 5_000])
  func reference(mostDistinct: Int, distinct: Int) async throws {
    var random = RandomStream(seed: UInt64(mostDistinct), path: UInt64(distinct))
    let urls = (0..<3_000).map { _ in
      random.integer(below: 50) == 0
        ? "no url" : "http://a.test/\(random.integer(below: distinct))"
    }
    var first: [String: Int] = [:]
    var expected: [Int?] = []
    for (row, url) in urls.enumerated() {
      expected.append(url == "no url" ? nil : first[url])
      if first[url] == nil { first[url] = row }
    }
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let path = try fixture.write(urls.joined(separator: "\n"), to: "x.txt")
    // A chunk of 7 rows; spilt in two at each level.
    let list = try await fixture.ingest(
      IngestOptions(input: path, chunkRows: 7), mostDistinct: mostDistinct)
    #expect(list.rows.map(\.row) == Array(0..<3_000))
    #expect(list.rows.map { $0.drop?.survivor } == expected)
    #expect(
      list.report.dropped["duplicate_url", default: 0] == expected.filter { $0 != nil }.count)
  }

  @Test("one URL a hundred thousand times needs room for one")
  func oneURL() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let path = try fixture.write(
      String(repeating: "http://a.test/\n", count: 100_000), to: "x.txt")
    let list = try await fixture.ingest(
      IngestOptions(input: path, chunkRows: 10_000), mostDistinct: 1)
    #expect(list.report.kept == 1 && list.report.dropped == ["duplicate_url": 99_999])
    #expect(list.rows.dropFirst().allSatisfy { $0.drop?.survivor == 0 })
  }

  @Test("an ingest that ends early, by itself or by a kill, leaves no temporary file to stay")
  func temporaries() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let path = try fixture.write(
      "url\n" + (0..<50_000).map { "http://a.test/\($0)\n" }.joined(), to: "x.csv")
    // Ends with an error at its second file.
    let broken = try fixture.write("no column\n", to: "y.csv")
    await #expect(throws: ListError.self) {
      try await fixture.ingest(IngestOptions(input: "\(path),\(broken)"))
    }
    func names() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: fixture.folder.path).filter {
        $0.hasSuffix(".tmp")
      }
    }
    #expect(try names().isEmpty)
    // Killed in its middle: a child is sent SIGKILL by itself once a chunk is there.
    let run = fixture.folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, run = run as String] in
      let stage = IngestStage(options: IngestOptions(input: path))
      let context = StageContext(folder: RunFolder(run)) { _ in [] }
      Thread.detachNewThread {
        while !FileManager.default.fileExists(atPath: run + "/chunks/00009.jsonl") {}
        kill(getpid(), SIGKILL)
      }
      _ = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      while true {}
    }
    try fixture.folder.removeAbandonedTemporaries()
    #expect(try names().isEmpty)
    let list = try await fixture.ingest(IngestOptions(input: path))
    #expect(list.report.kept == 50_000)
    #expect(try names().isEmpty)
  }

  // Appendix A of the SipHash paper's reference code, vectors_sip128: the key is 00 01 … 0f, the
  // input the first n of 00 01 ….
  @Test(
    "the hash is SipHash-2-4 of 128 bits",
    arguments: [
      (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
      (2, "8177228da4a45dc7fca38bdef60affe4"),
    ])
  func sipHash(_ count: Int, _ expected: String) {
    let hasher = URLHasher(key: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
    let hash = hasher.hash((0..<count).map { UInt8($0) })
    let bytes = [hash.high, hash.low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    #expect(bytes.map { String(format: "%02x", $0) }.joined() == expected)
  }
}
