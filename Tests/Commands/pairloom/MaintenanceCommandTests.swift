import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import ShardMaintenance
import Testing

/// `ls`, `cat`, `verify`, `reshard` and `forget` as a user runs them.
@Suite(.serialized) struct MaintenanceCommandTests {
  /// A run of sixty rows, twenty of which fail, in three chunks.
  static func run(in folder: TemporaryFolder) throws -> (run: String, web: RetryCommandTests.Web) {
    let web = try RetryCommandTests.Web()
    let run = folder.path + "/run"
    let made = try Program.run(RetryCommandTests.run(web.list(60, in: folder.path), run))
    #expect(made.status == 0, "\(made.error)")
    return (run, web)
  }

  @Test("ls and cat show what is in a shard, and say what is not")
  func looks() throws {
    let folder = try TemporaryFolder()
    let (run, _) = try Self.run(in: folder)
    let shard = run + "/shards/00000.tar.lz4"
    let keys = try ShardReader(path: shard).keys
    let listed = try Program.run(["ls", shard])
    #expect(listed.status == 0)
    #expect(listed.lines.map { String($0.prefix { $0 != " " }) } == keys)
    #expect(listed.lines[0].hasSuffix("jpg json txt  caption 1"))
    let json = try Program.run(["ls", shard, "--json"]).lines
    #expect(try json.map { try JSONValue.parse(Array($0.utf8))["key"]?.text } == keys)

    let all = try Program.run(["cat", shard])
    #expect(try all.lines.map { try JSONValue.parse(Array($0.utf8))["key"]?.text } == keys)
    let one = try Program.run(["cat", shard, keys[3]])
    #expect(one.output.contains("jpeg 24×24"), "\(one.output)")
    #expect(one.lines.contains("caption 5"), "\(one.output)")
    let text = try Program.run(["cat", shard, keys[3], "--member", "txt"])
    #expect(text.output == "caption 5")
    let none = try Program.run(["cat", shard, "nothing"])
    #expect(none.status == 1)
    #expect(none.error.contains("pairloom ls"))
    #expect(try Program.run(["cat", shard, keys[0], "--member", "gif"]).status == 1)
    #expect(try Program.run(["cat", shard, "--member", "jpg"]).status == 2)

    var bytes = try DurableFile.read(shard)
    bytes[bytes.count - 100] ^= 1
    try DurableFile.write(bytes, to: folder.path + "/bad.tar.lz4")
    let bad = try Program.run(["ls", folder.path + "/bad.tar.lz4"])
    #expect(bad.status == 1)
    #expect(bad.error.contains("bad.tar.lz4@"), "\(bad.error)")
  }

  @Test("keys, suffixes and texts of a foreign shard do not steer the terminal")
  func controls() throws {
    let folder = try TemporaryFolder()
    // CSI of C1, a mark that turns the direction, a line separator; ESC no writer of ours lets into a key.
    let evil = "a\u{9B}31m\u{202E}b\u{2028}"
    let writer = try ShardWriter(folder: folder.path, name: "evil", compression: .none)
    try writer.append(
      ShardSample(
        key: evil,
        members: [
          .init(suffix: "jpg", data: [1, 2, 3]), .init(suffix: "c\u{9B}l", data: [1]),
          .init(suffix: "json", data: Array("{\"k\u{9B}\": \"v\u{202E}\"}".utf8)),
          .init(suffix: "txt", data: Array((evil + "\u{1B}]0;x").utf8)),
        ]))
    let shard = folder.path + "/" + (try writer.finish().file)
    for arguments in [
      ["ls", shard], ["ls", shard, "--json"], ["cat", shard], ["cat", shard, evil],
      ["cat", shard, evil, "--member", "gif"],
    ] {
      let result = try Program.run(arguments)
      let text = result.output + result.error
      #expect(text.contains("31m"), "\(arguments)")
      let steering = text.unicodeScalars.filter { scalar in
        scalar != "\n"
          && (scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || [0x202E, 0x2028].contains(scalar.value))
      }
      #expect(steering.isEmpty, "\(arguments) lets \(steering.map(\.value)) through")
    }
    let json = try Program.run(["ls", shard, "--json"]).output
    let line = try JSONValue.parse(Array(json.utf8))
    #expect(line["key"]?.text == evil)
  }

  @Test("a reader that has seen enough ends ls and cat quietly")
  func pipes() throws {
    let folder = try TemporaryFolder()
    let (run, _) = try Self.run(in: folder)
    for command in ["ls", "cat"] {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = [
        "-c", "set -o pipefail; '\(Program.path)' \(command) \(run)/shards/0000?.tar.lz4 | true",
      ]
      if command == "cat" {
        shell.arguments?[1] =
          "set -o pipefail; '\(Program.path)' cat \(run)/shards/00000.tar.lz4 | true"
      }
      let error = Pipe()
      shell.standardError = error
      try shell.run()
      let text = error.fileHandleForReading.readDataToEndOfFile()
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 0, "\(command)")
      #expect(text.isEmpty, "\(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test("verify ends with 0 or 1, and --repair mends")
  func verifies() throws {
    let folder = try TemporaryFolder()
    let (run, web) = try Self.run(in: folder)
    // The chunk of a lost shard is asked for again.
    defer { withExtendedLifetime(web) {} }
    let clean = try Program.run(["verify", run])
    #expect(clean.status == 0, "\(clean.output)\(clean.error)")
    #expect(clean.output.hasPrefix("all is well: 3 shards"), "\(clean.output)")
    try DurableFile.remove(run + "/shards/00001.idx")
    try DurableFile.remove(run + "/shards/00002.tar.lz4")
    let found = try Program.run(["verify", run, "--json"])
    #expect(found.status == 1)
    let report = try JSONValue.parse(Array(found.output.utf8))
    guard case .array(let problems) = report["problems"] else {
      Issue.record("\(found.output)")
      return
    }
    #expect(
      problems.map { $0["file"]?.text } == ["shards/00001.idx", "shards/00002.tar.lz4"])
    #expect(found.error.contains("--repair"))
    let repaired = try Program.run(["verify", run, "--repair"])
    #expect(repaired.status == 0, "\(repaired.output)\(repaired.error)")
    #expect(try Program.run(["verify", run]).status == 0)
    #expect(try Program.run(["verify", folder.path]).status == 2)
  }

  @Test("verify tells of jobs that an interrupted repair has left, and --repair does them")
  func interruptedRepair() async throws {
    let folder = try TemporaryFolder()
    let (run, web) = try Self.run(in: folder)
    defer { withExtendedLifetime(web) {} }
    try DurableFile.remove(run + "/shards/00002.tar.lz4")
    // What a repair has done when it is killed before the first job.
    let place = RunFolder(run)
    let outcome = try await RunRepairer.repair(
      try await RunVerifier.verify(place, threads: 1), in: place)
    #expect(outcome.mustResume)
    let told = try Program.run(["verify", run])
    #expect(told.status == 1)
    #expect(!told.output.contains("all is well"), "\(told.output)")
    #expect(told.error.contains("jobs yet to be done"), "\(told.error)")
    #expect(told.error.contains("--repair"), "\(told.error)")
    let repaired = try Program.run(["verify", run, "--repair"])
    #expect(repaired.status == 0, "\(repaired.output)\(repaired.error)")
    #expect(repaired.output.contains("all is well"))
    #expect(DurableFile.exists(run + "/shards/00002.tar.lz4"))
  }

  @Test("reshard cuts to a list of ids, and says what is missing")
  func reshards() throws {
    let folder = try TemporaryFolder()
    let (run, _) = try Self.run(in: folder)
    let shards = (0..<3).map { "\(run)/shards/0000\($0).tar.lz4" }
    let uids = try ShardReader(path: shards[1]).keys.prefix(4)
    let ids = folder.path + "/ids.txt"
    let absent = String(repeating: "f", count: 32)
    try DurableFile.write((uids + [absent]).joined(separator: "\n"), to: ids)
    let out = folder.path + "/out"
    let result = try Program.run(
      ["reshard"] + shards + ["--out", out + "/", "--ids", ids, "--compression", "none"])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.lines == [out + "/dataset.json"])
    #expect(result.error.contains("1 of 5 ids are in none of the shards: \(absent)"))
    #expect(try ShardReader(path: out + "/00000.tar").keys == Array(uids))
    let again = try Program.run(["reshard"] + shards + ["--out", out])
    #expect(again.status == 2)
    #expect(again.error.contains("new or empty"))
    #expect(
      try Program.run(["reshard"] + shards + ["--out", out + "2", "--bytes", "many"]).status == 2)
    let sized = try Program.run(
      ["reshard"] + shards + ["--out", out + "2", "--bytes", "20kB", "--json"])
    #expect(sized.status == 0, "\(sized.error)")
    #expect(sized.output.contains(#""pairs":40"#))
  }

  @Test("forget, killed at random moments, is ended by the same command; verify is content")
  func forgets() throws {
    let folder = try TemporaryFolder()
    let (run, web) = try Self.run(in: folder)
    let copy = folder.path + "/copy"
    try FileManager.default.copyItem(atPath: run, toPath: copy)
    let requests = ["--url", web.server.url("/22"), "--url", web.server.url("/46")]
    let dry = try Program.run(["forget", run] + requests + ["--dry-run"])
    #expect(dry.status == 0, "\(dry.error)")
    #expect(
      dry.lines == [
        "--url \(requests[1]): 1 row of the list", "--url \(requests[3]): 1 row of the list",
        "  shards/00001.tar.lz4: 1 pair would go", "  shards/00002.tar.lz4: 1 pair would go",
      ])
    let whole = try Program.run(["forget", run] + requests)
    #expect(whole.status == 0, "\(whole.error)")
    let parts = ["chunks", "decoded", "deduplicated", "shards", "dataset.json"]
    let expected = try contents(of: run, parts)

    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    var kills = 0
    for _ in 0..<40 {
      let arguments = ["forget", copy] + requests
      guard try Program.runAndKill(arguments, after: random.uniform(in: 0.005..<0.1)) else { break }
      kills += 1
    }
    let last = try Program.run(["forget", copy] + requests)
    #expect(last.status == 0, "\(last.error)")
    // What killed writers left is removed by the next run, or by a repair.
    _ = try Program.run(["verify", copy, "--repair"])
    let found = try contents(of: copy, parts)
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs after \(kills) kills, seed \(seed)")
    }
    let verified = try Program.run(["verify", copy])
    #expect(verified.status == 0, "\(verified.output)")
    #expect(try Program.run(["forget", copy]).status == 2)
    #expect(try Program.run(["forget", copy, "--hash", "12"]).status == 2)
  }
}
