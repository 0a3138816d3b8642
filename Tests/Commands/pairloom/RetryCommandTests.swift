import FaultServer
import Foundation
import ImageCodec
import SeededRandom
import Synchronization
import Testing

/// `pairloom retry` as a user runs it, over a web that heals in between.
@Suite(.serialized) struct RetryCommandTests {
  /// Every third picture answers 503 until the web is healed.
  final class Web: Sendable {
    let server: AnswerServer
    private let isHealed: Switch

    final class Switch: Sendable {
      let state = Mutex(false)
    }

    init() throws {
      let isHealed = Switch()
      self.isHealed = isHealed
      server = try AnswerServer { path in
        guard let number = Int(path.dropFirst()) else { return .init(404) }
        if number % 3 == 0 && !isHealed.state.withLock({ $0 }) { return .init(503) }
        let colour = [UInt8(truncatingIfNeeded: number), UInt8(number >> 8), 7]
        let image = RGBImage(
          width: 32, height: 32, pixels: (0..<1024).flatMap { _ in colour })
        // A picture that could not be encoded would fail the test by its 500.
        guard let body = try? ImageEncoder.png(image) else { return .init(500) }
        return .init(200, body: body)
      }
    }

    func heal() { isHealed.state.withLock { $0 = true } }

    func list(_ rows: Int, in folder: String) throws -> String {
      let lines = (0..<rows).map { "\(server.url("/\($0)")),caption \($0)\n" }
      try ("url,caption\n" + lines.joined()).write(
        toFile: folder + "/list.csv", atomically: true, encoding: .utf8)
      return folder + "/list.csv"
    }
  }

  static func run(_ list: String, _ folder: String) -> [String] {
    ["run", "urls", "--folder", folder]
      + [
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=20", "image_size=24",
        // Its pictures look much the same.
        "download.attempts=1", "dedup=exact",
      ].flatMap { ["--set", $0] }
  }

  @Test("a dry run counts, a retry heals, a list that is gone is not missed")
  func heals() throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try Web()
    let list = try web.list(60, in: folder.path)
    let first = try Program.run(Self.run(list, run))
    #expect(first.status == 0)
    #expect(first.error.contains("`pairloom retry \(run)` may heal 20 rows\n"))
    try FileManager.default.removeItem(atPath: list)
    let broken = try Program.run(["status", run])
    for words in [
      "20 of them may heal (transient), 0 are final: `pairloom retry \(run)` asks for the 20 again",
      "  127.0.0.1  20 of 60 failed (33.3 %), mostly http_status; 20 may heal\n",
      "retry prospects: good: 20 of 20 transient failures are at hosts that sent other pictures",
    ] { #expect(broken.output.contains(words), "\(broken.output)") }
    let facts = try Program.run(["status", run, "--json"]).output
    #expect(facts.contains(#""permanent":0"#) && facts.contains(#""transientAtLiveHosts":20"#))

    let dry = try Program.run(["retry", run, "--where", "row < 40", "--dry-run"])
    #expect(dry.status == 0)
    #expect(
      dry.lines == [
        "40 rows match: row < 40", "14 of them may heal: 14 http_status",
        "26 are left out: 26 kept",
      ])
    web.heal()
    let healed = try Program.run(["retry", run])
    #expect(healed.status == 0, "\(healed.error)")
    #expect(healed.lines.first == "20 rows match: class = 'transient'")
    #expect(healed.lines.last == run + "/dataset.json")
    #expect(healed.error.contains("healed: 20 of 20"))
    #expect(!healed.error.contains("may heal"))
    let watched = try Program.run(["status", run, "--watch", "--interval", "0.1"])
    #expect(watched.lines.count == 1, "a run that has ended needs one look: \(watched.output)")
    #expect(watched.output.contains("finished"))
    let status = try Program.run(["status", run, "--json"])
    #expect(status.output.contains(#""failures":{}"#))
    #expect(status.output.contains(#"{"name":"kept","pairs":60}"#))
    let none = try Program.run(["retry", run])
    #expect(none.status == 0)
    #expect(none.lines.last == "none of them may heal: there is nothing to ask for")
  }

  @Test(
    "a bad question, or a folder without a run, ends with 2 and says what to do",
    arguments: [
      (["--where", "1); DROP TABLE jobs; --"], "closes that was not opened"),
      (["--where", "ATTACH 'x' AS y"], "ATTACH"),
      (["--where", "clas = 1"], "no such column: clas"),
      (["--where", "clas = 1"], "content_type"), (["--workers", "0"], "--workers"),
      (["--set", "image_size=9"], "image_size: was 24, now 9"),
    ])
  func usage(arguments: [String], words: String) throws {
    let folder = try TemporaryFolder()
    let web = try Web()
    let run = folder.path + "/run"
    #expect(try Program.run(Self.run(web.list(6, in: folder.path), run)).status == 0)
    let result = try Program.run(["retry", run] + arguments)
    #expect(result.status == 2, "\(result.error)")
    #expect(result.error.contains(words), "\(result.error)")
    #expect(try Program.run(["retry", folder.path]).error.contains("no run here"))
  }

  @Test("the help names every column")
  func help() throws {
    let help = try Program.run(["retry", "--help"]).output
    for column in ["row", "host", "class", "status", "final_url", "started_at", "chunk"] {
      #expect(help.contains("  " + column + " "), "\(column)")
    }
  }

  @Test("a retry killed at random moments ends with the bytes of one that was not")
  func killed() throws {
    let folder = try TemporaryFolder()
    let (whole, killed) = (folder.path + "/whole", folder.path + "/killed")
    let web = try Web()
    let list = try web.list(600, in: folder.path)
    #expect(try Program.run(Self.run(list, whole)).status == 0)
    try FileManager.default.copyItem(atPath: whole, toPath: killed)
    web.heal()
    #expect(try Program.run(["retry", whole]).status == 0)
    let parts = ["chunks", "decoded", "deduplicated", "shards", "dataset.json"]
    let expected = try contents(of: whole, parts)

    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    var kills = 0
    for turn in 0..<40 {
      // The first command of the run ends a retry as well.
      let arguments = turn % 4 == 3 ? Self.run(list, killed) : ["retry", killed]
      guard try Program.runAndKill(arguments, after: random.uniform(in: 0.02..<0.25)) else {
        if turn % 4 == 3 { continue }
        break
      }
      kills += 1
    }
    // Nothing is left to heal once it is done, so one more is never one too many.
    let last = try Program.run(["retry", killed])
    #expect(last.status == 0, "\(last.error)")
    #expect(kills > 0, "seed \(seed)")
    let found = try contents(of: killed, parts)
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs after \(kills) kills, seed \(seed)")
    }
    #expect(try Program.run(["status", killed, "--json"]).output.contains(#""pairs":600"#))
  }
}
