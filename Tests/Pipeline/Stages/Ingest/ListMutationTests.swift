import Foundation
import IngestStage
import PairDataset
import ParquetFile
import PipelineCore
import SeededRandom
import Testing

/// Damaged lists of every format: rows or a ``ListError``, and always an end.
@Suite struct ListMutationTests {
  private static func originals(_ fixture: ListFixture) throws -> [(String, [UInt8])] {
    let tables = ListFormatTests.lists.map { ($0.name, Array($0.text.utf8)) }
    let shard = try ShardListTests.shard(in: fixture.path, .lz4)
    let tar = try piped(
      ["tar", "-C", try folder(fixture), "-cf", "-", "a.jpg", "a.json", "a.txt"], [])
    var forms = tables
    for (name, bytes) in tables.prefix(4) {
      forms.append((name + ".gz", try gzipped(bytes)))
      forms.append((name + ".zst", try zstandard(bytes)))
    }
    forms.append(("x.txt", Array("http://a.test/1\r\nhttp://a.test/2\n".utf8)))
    forms.append(("x.tar", tar))
    let parquet = fixture.path + "/x.parquet"
    let writer = try ParquetWriter(
      path: parquet, columns: [ParquetColumn("url", .string), ParquetColumn("n", .int64)])
    try writer.append([(0..<50).map { .text("http://a.test/\($0)") }, (0..<50).map { .int($0) }])
    try writer.finish()
    forms.append(("x.parquet", [UInt8](try Data(contentsOf: URL(fileURLWithPath: parquet)))))
    forms.append(("x.tar.gz", try gzipped(tar)))
    forms.append(("x.tar.lz4", [UInt8](try Data(contentsOf: URL(fileURLWithPath: shard)))))
    return forms
  }

  private static func folder(_ fixture: ListFixture) throws -> String {
    try fixture.write("picture", to: "in/a.jpg")
    try fixture.write("{\"url\":\"http://a.test/\"}", to: "in/a.json")
    try fixture.write("caption", to: "in/a.txt")
    return fixture.path + "/in"
  }

  private static func mutated(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.integer(below: 4) where !bytes.isEmpty {
      let place = random.integer(below: bytes.count)
      switch random.integer(below: 6) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes[place] ^= 1 << UInt8(random.integer(below: 8))
      case 2: bytes.removeLast(bytes.count - place)
      case 3: bytes.remove(at: place)
      case 4: bytes.insert(Array("\"\n\r,{}[]:\\\0".utf8)[random.integer(below: 11)], at: place)
      default:
        let end = min(bytes.count, place + random.integer(below: 40))
        bytes.insert(contentsOf: bytes[place..<end], at: random.integer(below: bytes.count))
      }
    }
    return bytes
  }

  @Test("a damaged list gives rows or an error", .timeLimit(.minutes(10)))
  func mutations() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let originals = try Self.originals(fixture)
    let count = isLong ? 2_000 : 300
    var (read, refused) = (0, 0)
    for (form, (name, bytes)) in originals.enumerated() {
      for seed in 0..<count {
        var random = RandomStream(seed: UInt64(seed), path: UInt64(form))
        let path = try fixture.write(Self.mutated(bytes, &random), to: name)
        let options = IngestOptions(input: path)
        do {
          let captions = try ListSample.captions(of: options, count: 1_000_000)
          #expect(captions.count < 10_000, "form \(name) seed \(seed)")
          read += 1
        } catch {
          #expect(!error.description.isEmpty)
          refused += 1
        }
      }
    }
    #expect(read > 0 && refused > 0)
  }
}
