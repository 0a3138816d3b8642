import ArgumentParser
import Deduplication
import PerceptualHash
import PipelineCore
import SeededRandom
import WorkerThreads

/// `look-alikes`: pictures of one pHash that all differ, as a template's do.
struct LookAlikesBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "look-alikes",
    abstract: "Judge pictures that share a pHash though no two are one.",
    discussion: """
      Thumbnails of chance under one key: each picture is held against all that were kept before it. One \
      line for each half of --pictures and for all: seconds of processor time, and ns_a_pair of it; where \
      that stays the same the time grows with the square. --hard draws a page's lines in places of \
      chance instead: thumbnails that differ little more than copies may.
      """)

  @Option(help: "Pictures in all.")
  var pictures = 20_000

  @Option(help: "Pictures of a batch.")
  var batch = 1000

  @Option(help: "Threads.")
  var threads = Parallel.coreCount

  @Flag(help: "Thumbnails that the bound cannot tell apart.")
  var hard = false

  func validate() throws {
    try requirePositive(pictures, "--pictures")
    try requirePositive(batch, "--batch")
    try requirePositive(threads, "--threads")
  }

  func run() throws {
    for count in [pictures / 4, pictures / 2, pictures] where count > 0 { try judge(count) }
  }

  private func judge(_ count: Int) throws {
    let temporary = try TemporaryFolder(in: nil)
    defer { temporary.remove() }
    var rules = DuplicateRules(kind: .near)
    rules.radius = 6
    let judge = try DuplicateJudge(rules, folder: temporary.path, threads: threads)
    var kept = 0
    let clock = Rounds.Clock.processor
    let time = try clock.seconds {
      for start in stride(from: 0, to: count, by: batch) {
        let pairs = (start..<min(start + batch, count)).map(pair)
        kept += try judge.judge(pairs, batch: start / batch).count { $0.drop == nil }
      }
    }
    let compared = Double(count) * Double(count - 1) / 2
    Figure(
      name: "look-alikes",
      values: [
        .init("pictures", .int(count)), .init("kept", .int(kept)),
        .init("ns_a_pair", .rounded(time * 1e9 / max(1, compared))),
      ], threads: threads, rounds: Rounds(clock: clock, seconds: [time])
    ).print()
  }

  private func pair(_ row: Int) -> JudgedPair {
    var random = RandomStream(seed: 3, path: UInt64(row))
    var bytes = [UInt8](repeating: 0, count: PictureSignature.byteCount)
    (bytes[9], bytes[10]) = (20, 200)
    // Five codes in six at white, where the page is.
    for place in 11..<107 {
      let byte = UInt8(random.integer(below: 256))
      bytes[place] = hard && random.integer(below: 6) > 0 ? 255 : byte
    }
    // Grey, but for the easy ones.
    for place in 107..<bytes.count {
      bytes[place] = hard ? 0x84 : UInt8(random.integer(below: 256))
    }
    guard let signature = PictureSignature(bytes: bytes) else {
      preconditionFailure("bytes that are no signature")
    }
    let digits = String(row, radix: 16)
    let name = String(repeating: "0", count: 64 - digits.count) + digits
    return JudgedPair(
      row: row, uid: String(name.suffix(32)), sha256: String(name.reversed()),
      signature: signature, caption: "", url: "", quality: 0)
  }
}
