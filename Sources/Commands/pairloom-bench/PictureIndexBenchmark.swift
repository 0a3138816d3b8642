import ArgumentParser
import PerceptualHash
import PictureIndex
import PipelineCore
import SeededRandom
import WorkerThreads

/// `picture-index`: an index of pictures on disk, built, asked, added to and merged.
struct PictureIndexBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "picture-index",
    abstract: "Build an index of pictures, search it, add to it durably, and merge it.",
    discussion: """
      Signatures and digests are drawn by chance, a tenth of the pictures looked for being near to one \
      that is there. Lines: build (entries, mb, bytes_per_entry, peak_mb and, without the file's own \
      pages, anonymous_mb; pairs were appended a hundred thousand at a time, then compacted); add: a new \
      handle opens the index, looks for the digest and, at radius 6, for the picture of each entry, and \
      appends them durably, in seconds each, and cpu_s of all; search at radius 6 and 10 (queries_per_s, \
      found); merge with a tenth as many others. mb are 10⁶ bytes.
      """)

  @Option(help: "Entries of the index; 10000000 are those of the target.")
  var entries = 200_000

  @Option(help: "Entries to add.")
  var add = 10_000

  @Option(help: "Queries of a search.")
  var queries = 10_000

  @Option(help: "Threads of a search.")
  var threads = Parallel.coreCount

  @Option(help: "On the disk to measure; by default where temporary files go.")
  var folder: String?

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(entries, "--entries")
    try requirePositive(add, "--add")
    try requirePositive(queries, "--queries")
    try requirePositive(threads, "--threads")
  }

  private var clock: Rounds.Clock { .wall }

  func run() throws {
    let temporary = try TemporaryFolder(in: folder)
    defer { temporary.remove() }
    let path = temporary.path + "/pictures.index"
    try build(path)
    try search(path, radius: 6)
    try search(path, radius: 10)
    try addMore(path)
    try merge(path, in: temporary)
  }

  /// An entry by its number; those from `entries` on are looked for and added.
  private func entry(_ number: Int) -> PictureEntry {
    let isNear = number >= entries && number % 10 == 0
    var random = RandomStream(seed: 1, path: UInt64(isNear ? number % entries : number))
    var bytes = [UInt8](repeating: 0, count: PictureSignature.byteCount)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      let word = random.next()
      for index in start..<min(bytes.count, start + 8) {
        bytes[index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * (index - start)))
      }
    }
    // Three bits of the key away from the one that is there.
    if isNear { bytes[1] ^= 0b0001_0011 }
    let digest = Name128(high: random.next(), low: UInt64(number))
    bytes[8] = 0  // not flat
    guard let signature = PictureSignature(bytes: bytes) else {
      preconditionFailure("random bytes that are no signature")
    }
    return PictureEntry(
      uid: Name128(high: 1, low: UInt64(number)), row: number, digest: digest,
      signature: signature)
  }

  private func build(_ path: String) throws {
    let batch = 100_000
    let time = try clock.seconds {
      let index = try PictureIndex(path, isWritable: true)
      for start in stride(from: 0, to: entries, by: batch) {
        let new = (start..<min(entries, start + batch)).map { entry($0) }
        try index.append(new, batch: start / batch)
      }
      try index.compact()
    }
    let size = try PictureIndex(path, isWritable: false).byteCount
    report(
      "picture-index-build",
      [
        .init("mb", .rounded(Double(size) / 1e6)),
        .init("bytes_per_entry", .rounded(Double(size) / Double(entries))),
        .init("peak_mb", .rounded(try ProcessMemory.megabytes("VmHWM"))),
        .init("anonymous_mb", .rounded(try ProcessMemory.megabytes("RssAnon"))),
      ], [time])
  }

  private func search(_ path: String, radius: Int) throws {
    let index = try PictureIndex(path, isWritable: false)
    let keys = (entries..<entries + queries).compactMap { entry($0).signature?.key }
    var found = 0
    let rounds = Rounds(repetition.rounds, clock: clock) {
      found = index.matches(of: keys, radius: radius, threads: threads).reduce(0) { $0 + $1.count }
    }
    report(
      "picture-index-search",
      [
        .init("radius", .int(radius)), .init("queries", .int(keys.count)),
        .init("found", .int(found)),
        .init("queries_per_s", .rounded(Double(keys.count) / rounds.median)),
      ], rounds.seconds)
  }

  private func addMore(_ path: String) throws {
    let new = (entries..<entries + add).map { entry($0) }
    var parts: [(open: Double, search: Double, append: Double)] = []
    var found = 0
    var processor: [Double] = []
    for round in 0...repetition.rounds {
      let spent = Rounds.Clock.processor.now
      let begin = clock.now
      let index = try PictureIndex(path, isWritable: true)
      let opened = clock.now
      let known = index.entries(withDigests: new.compactMap(\.digest)).count { $0 != nil }
      found =
        known
        + index.matches(of: new.compactMap { $0.signature?.key }, radius: 6, threads: threads)
        .count { !$0.isEmpty }
      let searched = clock.now
      let batch = (index.lastBatch ?? -1) + 1
      try index.append(new, batch: batch)
      // The first round warms up.
      if round > 0 {
        parts.append((opened - begin, searched - opened, clock.now - searched))
        processor.append(Rounds.Clock.processor.now - spent)
      }
      _ = try index.rewind(to: batch)
    }
    func median(_ seconds: [Double]) -> JSONValue {
      .rounded(Rounds(clock: clock, seconds: seconds).median)
    }
    report(
      "picture-index-add",
      [
        .init("added", .int(add)), .init("found", .int(found)),
        .init("open_s", median(parts.map(\.open))), .init("search_s", median(parts.map(\.search))),
        .init("append_s", median(parts.map(\.append))), .init("cpu_s", median(processor)),
      ], parts.map { $0.open + $0.search + $0.append })
  }

  private func merge(_ path: String, in temporary: TemporaryFolder) throws {
    let other = temporary.path + "/other.index"
    try PictureIndex(other, isWritable: true)
      .append((entries..<entries + max(1, entries / 10)).map { entry($0) }, batch: 0)
    let time = try clock.seconds {
      try PictureIndex.merge([path, other], into: temporary.path + "/merged.index")
    }
    report("picture-index-merge", [.init("others", .int(max(1, entries / 10)))], [time])
  }

  private func report(_ name: String, _ values: [JSONValue.Member], _ seconds: [Double]) {
    Figure(
      name: name, values: [.init("entries", .int(entries))] + values, threads: threads,
      rounds: Rounds(clock: clock, seconds: seconds)
    ).print()
  }
}
