import ArgumentParser
import Compression
import ParquetFile
import PipelineCore
import SeededRandom
import ShardScoring

/// `join-scores`: how fast scores out of tables are read and joined by uid, and in how much memory.
struct JoinScoresBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join-scores",
    abstract: "Read a table of scores and join pairs to it by uid.",
    discussion: """
      Prints read_per_s (rows of the table), join_per_s (pairs looked up, all of which are there) and the peak \
      of memory in 2²⁰ bytes, the pages of the table's own batches among it.
      """)

  @Option(help: "Rows of the table.")
  var rows = 1_000_000

  func validate() throws { try requirePositive(rows, "--rows") }

  func run() throws {
    let temporary = try TemporaryFolder()
    defer { temporary.remove() }
    let path = "\(temporary.path)/scores.parquet"
    try write(path)
    var sources: ScoreSources?
    let reading = try Rounds.Clock.wall.seconds { sources = try ScoreSources([path]) }
    guard let sources else { return }
    var join = ScoreJoin(sources)
    var random = RandomStream(seed: 1)
    var wrong = 0
    let asked = min(rows, 1_000_000)
    let joining = try Rounds.Clock.wall.seconds {
      for _ in 0..<asked {
        let row = random.integer(below: rows)
        let value = try join.values(of: "score", for: [PairNames(uid: Self.uid(row), key: "")])
        if value[0] != Double(Self.score(row)) { wrong += 1 }
      }
    }
    precondition(wrong == 0, "\(wrong) of \(asked) pairs got another score")
    Figure(
      name: "join_scores",
      values: [
        .init("rows", .int(rows)), .init("read_per_s", .rounded(Double(rows) / reading)),
        .init("join_per_s", .rounded(Double(asked) / joining)),
        .init("peak_rss_mb", .rounded(PeakMemory.mebibytes)),
      ], threads: 1, rounds: Rounds(clock: .wall, seconds: [reading])
    ).print()
  }

  /// Half of a uid is the row's number, spread; the other half the same, spread otherwise.
  private static func uid(_ row: Int) -> String {
    func digits(_ factor: UInt64) -> String {
      let text = String((UInt64(row) &+ 1) &* factor, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    return digits(0x9E37_79B9_7F4A_7C15) + digits(0xD6E8_FEB8_6659_FD93)
  }

  private static func score(_ row: Int) -> Float { Float(row % 1_000) / 1_000 }

  private func write(_ path: String) throws {
    let writer = try ParquetWriter(
      path: path, columns: [.init("uid", .string), .init("score", .float)], codec: .zstd)
    for start in stride(from: 0, to: rows, by: 8_192) {
      let range = start..<min(start + 8_192, rows)
      try writer.append([
        range.map { .text(Self.uid($0)) }, range.map { .float(Self.score($0)) },
      ])
    }
    try writer.finish()
  }
}
