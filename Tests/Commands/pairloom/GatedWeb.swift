import FaultServer
import Foundation
import ImageCodec

/// A web with work for every stage, whose answers follow from the path alone, behind a gate.
///
/// The gate lets rows pass by their number: what is asked beyond it waits. So a run cannot end before
/// a test is through with it, however fast the machine.
///
/// | row | answer or line | fate |
/// |---|---|---|
/// | `r % 97 == 50` | a PNG that needs more memory than decoders have | `decoder_crashed` |
/// | `r % 13 == 5`, `r % 17 == 7` | 404, 503 | `http_status` |
/// | `r % 19 == 3` | words | `not_an_image` or the like |
/// | `r % 23 == 4` | half of a picture | damaged |
/// | `r % 11 == 9` | the bytes of row r − 3 | `duplicate_bytes` |
/// | `r % 29 == 28` | the URL of row r − 1 | `duplicate_url` |
/// | `r % 31 == 30` | no URL | `bad_url` |
/// | else | picture r | kept |
final class GatedWeb: Sendable {
  let rows: Int
  let server: AnswerServer
  private let gate = Gate()

  /// Opens a web; its gate lets everything pass.
  init(rows: Int) throws {
    self.rows = rows
    let gate = gate
    server = try AnswerServer { path in
      guard let row = Int(path.dropFirst()) else { return .init(404) }
      gate.wait(for: row)
      return Self.answer(row)
    }
  }

  deinit { gate.open(to: .max) }

  /// Lets the rows before `row` pass; those that wait go on.
  func open(to row: Int) { gate.open(to: row) }

  /// Rows that wait at the gate.
  var waiting: Int { gate.waiting }

  /// Writes the list.
  func list(in folder: String) throws -> String {
    let lines = (0..<rows).map { row in
      let url =
        row % 31 == 30
        ? "no-url-\(row)" : server.url("/\(row % 29 == 28 ? row - 1 : row)")
      return "\(url),caption \(row)\n"
    }
    let path = folder + "/list.csv"
    try ("url,caption\n" + lines.joined()).write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// The command that weaves the list into `run`, scored and filtered.
  ///
  /// Decoders get too little memory for the giant picture; a request may wait at the gate for minutes.
  static func command(
    _ list: String, _ run: String, chunkRows: Int, workers: Int = 2, _ options: [String] = []
  ) -> [String] {
    ["run", "scenes", "--force-scorer", "--folder", run, "--workers", "\(workers)"]
      + ([
        "input=\(list)", "chunk_rows=\(chunkRows)", "chunks_in_flight=\(chunksInFlight)",
        "decode_memory=\(64 << 20)", "download.attempts=1", "download.first_byte_deadline=600",
        "download.total_deadline=900", "download.low_speed_seconds=0",
      ] + options).flatMap { ["--set", $0] }
  }

  /// Chunks under way at a time, which bounds the downloads of a process, too.
  static let chunksInFlight = 4

  private static func answer(_ row: Int) -> AnswerServer.Answer {
    if row % 97 == 50 { return picture(giant) }
    if row % 13 == 5 { return .init(404) }
    if row % 17 == 7 { return .init(503) }
    if row % 19 == 3 { return .init(200, body: Array("words, and no picture".utf8)) }
    let bytes = small(row % 11 == 9 ? row - 3 : row)
    return picture(row % 23 == 4 ? Array(bytes.prefix(bytes.count / 2)) : bytes)
  }

  private static func picture(_ bytes: [UInt8]) -> AnswerServer.Answer {
    .init(200, headers: ["Content-Type: image/png"], body: bytes)
  }

  /// A picture of one colour and one dot; no two numbers have the same bytes.
  private static func small(_ number: Int) -> [UInt8] {
    let colour = [
      UInt8(truncatingIfNeeded: number &* 37), UInt8(truncatingIfNeeded: number >> 8), 9,
    ]
    return png(
      40, (0..<1_600).flatMap { place in place == number % 1_600 ? [255, 255, 255] : colour })
  }

  /// 75 MB of pixels in some kilobytes.
  private static let giant = png(5_000, [UInt8](repeating: 90, count: 75_000_000))

  private static func png(_ side: Int, _ pixels: [UInt8]) -> [UInt8] {
    // Nothing about these pixels can fail; an empty body would, and the tests with it.
    (try? ImageEncoder.png(RGBImage(width: side, height: side, pixels: pixels))) ?? []
  }
}

/// Holds up the threads of rows beyond a number.
private final class Gate: Sendable {
  // Sendable: the condition guards both.
  nonisolated(unsafe) private var limit = Int.max
  nonisolated(unsafe) private var held = 0
  private let condition = NSCondition()

  var waiting: Int {
    condition.lock()
    defer { condition.unlock() }
    return held
  }

  func open(to row: Int) {
    condition.lock()
    limit = row
    condition.broadcast()
    condition.unlock()
  }

  func wait(for row: Int) {
    condition.lock()
    held += 1
    while row >= limit { condition.wait() }
    held -= 1
    condition.unlock()
  }
}
