import Compression
import Foundation
import ParquetFile
import SeededRandom
import Testing

/// Damaged files: each ends in values or in a ``ParquetError``, in little memory.
///
/// They are read in a child process whose address space is bounded, so that a trap, a hang and an
/// allocation out of measure all fail the test. PAIRLOOM_PARQUET_MUTATIONS sets how many files are
/// damaged, PAIRLOOM_PARQUET_SEED how.
@Suite struct MutationTests {
  static let count = environment("PAIRLOOM_PARQUET_MUTATIONS") ?? 30_000
  static let seed = environment("PAIRLOOM_PARQUET_SEED") ?? 20_261_124

  private static func environment(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  @Test("no damaged file traps, hangs or takes more memory than a small multiple of a page")
  func survives() async throws {
    let note = FileManager.default.temporaryDirectory.path + "/parquet-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: note) }  // there is none after success
    let result = await #expect(processExitsWith: .success) {
      [count = Self.count as Int, seed = Self.seed as Int, note = note as String] in
      try Mutations.run(count: count, seed: UInt64(seed), note: note)
    }
    let last = (try? String(contentsOfFile: note, encoding: .utf8)) ?? "none"  // it may be absent
    #expect(result != nil, "seed \(Self.seed): \(last)")
  }
}

/// What the child does.
enum Mutations {
  /// What reading may take beyond what the process has when it begins, in bytes.
  private static let memory = 256 << 20

  struct Failure: Error {
    var words: String
  }

  static func run(count: Int, seed: UInt64, note: String) throws {
    var names = try FileManager.default.contentsOfDirectory(atPath: Peers.fixtures.path)
      .filter { $0.hasSuffix(".parquet") }.sorted()
    var files = try names.map { name in
      [UInt8](try Data(contentsOf: Peers.fixtures.appendingPathComponent(name)))
    }
    for codec in ["none", "zstd"] {
      names.append("our own, codec \(codec)")
      files.append(try SampleRows(count: 60).file(codec: BlockCodec(rawValue: codec)))
    }
    try bindMemory()
    try Data().write(to: URL(fileURLWithPath: note))
    let handle = try #require(FileHandle(forWritingAtPath: note))
    var outcomes: [String: Int] = [:]
    for number in 0..<count {
      var random = RandomStream(seed: seed, path: UInt64(number))
      let file = random.integer(below: files.count)
      try handle.seek(toOffset: 0)
      try handle.write(contentsOf: Data("mutation \(number) of \(names[file])      ".utf8))
      outcomes[read(damaged(files[file], &random), &random), default: 0] += 1
    }
    // Both ends occur in numbers, so the damage is neither too small nor too great.
    for outcome in ["values", "damaged", "notParquet"]
    where outcomes[outcome, default: 0] * 50 < count {
      throw Failure(words: "few ended in \(outcome): \(outcomes)")
    }
    try FileManager.default.removeItem(atPath: note)
  }

  private static func read(_ bytes: [UInt8], _ random: inout RandomStream) -> String {
    var limits = ParquetLimits()
    limits.page = 4 << 20
    limits.unfoldedBytes = 4 << 20
    limits.batchElements = 100_000
    do {
      let reader = try ParquetReader(bytes: bytes, name: "damaged.parquet", limits: limits)
      let batches = try reader.batches(rowsPerBatch: 1 + random.integer(below: 100))
      // A file may promise rows without end in a few bytes: nulls take none.
      for _ in 0..<100 {
        guard let batch = try batches.next() else { break }
        for values in batch.values where values.count != batch.rowCount { fatalError("ragged") }
      }
      return "values"
    } catch {
      return String("\(error.problem)".prefix { $0 != "(" })
    }
  }

  /// A copy with some damage: anywhere, or where the structures of the footer and the pages begin.
  private static func damaged(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var result = bytes
    let footer = bytes.count - 8 - Int(bytes[bytes.count - 8]) - Int(bytes[bytes.count - 7]) << 8
    let zone = [0..<bytes.count, 0..<min(bytes.count, 400), max(0, footer)..<bytes.count - 8][
      random.integer(below: 3)]
    func place() -> Int { zone.lowerBound + random.integer(below: zone.count) }
    let odd: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())]
    switch random.integer(below: 8) {
    case 0, 1, 2:  // a few bits
      for _ in 0...random.integer(below: 4) {
        result[place()] ^= 1 << UInt8(random.integer(below: 8))
      }
    case 3:  // a few bytes
      for _ in 0...random.integer(below: 4) { result[place()] = odd[random.integer(below: 6)] }
    case 4:  // a stretch of one value, which makes long varints and lengths
      let start = place()
      let value = odd[random.integer(below: 6)]
      for index in start..<min(result.count, start + 1 + random.integer(below: 16)) {
        result[index] = value
      }
    case 5:  // cut off, at either end
      if random.integer(below: 2) == 0 {
        result.removeLast(random.integer(below: result.count))
      } else {
        result.removeFirst(random.integer(below: result.count))
      }
    case 6:  // a stretch taken out of the pages, so that the footer stays whole
      let start = random.integer(below: max(1, footer))
      result.removeSubrange(start..<min(max(1, footer), start + 1 + random.integer(below: 64)))
    default:  // a stretch from elsewhere over this one
      let source = random.integer(below: bytes.count)
      let part = bytes[source..<min(bytes.count, source + 1 + random.integer(below: 64))]
      let start = place()
      for (index, byte) in part.enumerated() where start + index < result.count {
        result[start + index] = byte
      }
    }
    return result
  }

  /// Bounds the address space of this process.
  private static func bindMemory() throws {
    let status = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = try #require(status.split(separator: " ").first.flatMap { Int($0) })
    let most = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + memory)
    var limit = rlimit(rlim_cur: most, rlim_max: most)
    guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else {
      throw Failure(words: "setrlimit: \(errno)")
    }
  }
}
