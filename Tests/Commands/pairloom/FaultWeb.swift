import FaultServer
import Foundation
import ImageCodec
import Synchronization

/// A web and a list for runs whose operations fail: small, and the same whenever it is asked.
///
/// Rows repeat URLs, share bytes, are missing, or answer 503 until the web is healed; one host refuses
/// connections.
final class FaultWeb: Sendable {
  private let server: AnswerServer
  private let isHealed: Switch
  let list: String

  private final class Switch: Sendable {
    let state = Mutex(false)
  }

  init(rows: Int, in folder: String) throws {
    let isHealed = Switch()
    self.isHealed = isHealed
    let server = try AnswerServer { path in
      guard let number = Int(path.dropFirst()), number % 11 != 7 else { return .init(404) }
      if number % 5 == 3 && !isHealed.state.withLock({ $0 }) { return .init(503) }
      // Every thirteenth picture is the one before it.
      let shown = number % 13 == 12 ? number - 1 : number
      let image = RGBImage(
        width: 40, height: 32,
        pixels: (0..<40 * 32).flatMap {
          [UInt8(truncatingIfNeeded: shown * 5), UInt8($0 % 251), 9]
        }
      )
      // A picture that could not be encoded would fail the test by its 500.
      guard let body = try? ImageEncoder.png(image) else { return .init(500) }
      return .init(200, body: body)
    }
    self.server = server
    list = folder + "/list.csv"
    var lines = (0..<rows).map { row in
      "\(server.url("/\(row % 9 == 8 ? row / 2 : row)")),caption \(row)\n"
    }
    lines.append("http://127.0.0.1:1/closed,no such port\n")
    try ("url,caption\n" + lines.joined()).write(toFile: list, atomically: true, encoding: .utf8)
  }

  func heal() { isHealed.state.withLock { $0 = true } }

  /// A run with every stage: two workers, scores, a filter that packs its shards anew.
  func run(into folder: String, _ options: [String] = []) -> [String] {
    let all = ["input=\(list)", "chunk_rows=16", "shard_pairs=10", "download.attempts=1"] + options
    return ["run", "scenes", "--force-scorer", "--folder", folder, "--workers", "2"]
      + all.flatMap { ["--set", $0] }
  }
}
