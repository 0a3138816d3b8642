import DurableFiles
import Foundation
import PipelineCore
import SeededRandom
import Testing

/// A ledger that was lost at any moment of a run, as a user meets it and mends it.
@Suite(.serialized) struct LedgerRecoveryTests {
  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  private static func arguments(_ folder: String, _ origin: DemoOrigin) -> [String] {
    ["run", "scenes", "--folder", folder, "--workers", "2"]
      + ["input=\(origin.list)", "chunk_rows=20"].flatMap { ["--set", $0] }
  }

  /// Damages the ledger in one of several ways.
  private static func damage(_ ledger: String, way: Int, _ random: inout RandomStream) throws {
    let bytes = DurableFile.exists(ledger) ? try DurableFile.read(ledger) : []
    switch way % 5 {
    case 0: try DurableFile.write([], to: ledger)
    case 1: try DurableFile.write(Array(bytes.prefix(bytes.count / 2)), to: ledger)
    case 2:
      let noise = bytes.map { _ in UInt8(truncatingIfNeeded: random.next()) }
      try DurableFile.write(noise, to: ledger)
    case 3:
      var bytes = bytes
      for place in bytes.indices.prefix(100) { bytes[place] ^= 0xFF }
      try DurableFile.write(bytes, to: ledger)
    default: for ending in ["", "-wal", "-shm"] { try DurableFile.remove(ledger + ending) }
    }
  }

  @Test("killed midway and robbed of its ledger, a run ends with the bytes of an undisturbed one")
  func midway() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 120, seed: 5, folder: folder.path)
    let whole = folder.path + "/whole"
    #expect(try Program.run(Self.arguments(whole, origin)).status == 0)
    let expected = try contents(of: whole, Self.parts)
    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    var damaged = 0
    let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil
    for round in 0..<(isLong ? 50 : 5) {
      let run = "\(folder.path)/run-\(round)"
      _ = try Program.runAndKill(
        Self.arguments(run, origin), after: random.uniform(in: 0.1..<1.2))
      guard DurableFile.exists(run + "/chunks/00000.jsonl") else { continue }
      try Self.damage(run + "/ledger.sqlite", way: round, &random)
      let told = try Program.run(Self.arguments(run, origin))
      if told.status == 0 {
        // SQLite had all pages in its log, and lost nothing.
        #expect(![0, 4].contains(round % 5), "seed \(seed), round \(round)")
      } else {
        damaged += 1
        #expect(told.status == 1, "seed \(seed), round \(round): \(told.error)")
        #expect(told.error.contains("`pairloom verify \(run) --repair`"), "\(told.error)")
      }
      if round % 2 == 0 {
        // The repair goes on with the run.
        let repaired = try Program.run(["verify", run, "--repair"])
        #expect(repaired.status == 0, "round \(round): \(repaired.output)\(repaired.error)")
      } else {
        // Killed in the midst of it, and ended by the run itself.
        _ = try Program.runAndKill(
          ["verify", run, "--repair"], after: random.uniform(in: 0.02..<0.4))
        var result = try Program.run(Self.arguments(run, origin))
        if result.status == 1 {
          _ = try Program.run(["verify", run, "--repair"])
          result = try Program.run(Self.arguments(run, origin))
        }
        #expect(result.status == 0, "seed \(seed), round \(round): \(result.error)")
      }
      let found = try contents(of: run, Self.parts)
      #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed), round \(round)")
      for (name, bytes) in expected {
        #expect(found[name] == bytes, "\(name) differs, seed \(seed), round \(round)")
      }
      #expect(try Program.run(["verify", run]).status == 0, "seed \(seed), round \(round)")
    }
    #expect(damaged > 0, "seed \(seed)")
  }

  @Test("every command says what is wrong and what to do, and verify --json tells it, too")
  func words() throws {
    let folder = try TemporaryFolder()
    let (run, web) = try MaintenanceCommandTests.run(in: folder)
    defer { withExtendedLifetime(web) {} }
    let before = try Program.run(["status", run, "--json"])
    try DurableFile.write("no ledger", to: run + "/ledger.sqlite")
    for command in [
      ["status", run], ["retry", run], ["forget", run, "--host", "example.org"],
      RetryCommandTests.run(folder.path + "/list.csv", run),
    ] {
      let result = try Program.run(command)
      #expect(result.status == 1, "\(command): \(result.error)")
      #expect(
        result.error.contains("the ledger is damaged")
          && result.error.contains("`pairloom verify \(run) --repair`"),
        "\(command): \(result.error)")
    }
    let told = try Program.run(["verify", run])
    #expect(told.status == 1)
    #expect(told.output.contains("ledger.sqlite: file is not a database\n"), "\(told.output)")
    #expect(told.output.contains("ledger.sqlite.damaged-N"), "\(told.output)")
    #expect(told.error.contains("--repair` mends one"), "\(told.error)")
    let facts = try JSONValue.parse(Array(try Program.run(["verify", run, "--json"]).output.utf8))
    guard case .array(let problems) = facts["problems"] else {
      Issue.record("\(facts.serialized)")
      return
    }
    #expect(problems.map { $0["file"]?.text } == ["ledger.sqlite"])
    #expect(problems.first?["can_be_repaired"] == .bool(true))
    #expect(try DurableFile.read(run + "/ledger.sqlite") == Array("no ledger".utf8))

    let repaired = try Program.run(["verify", run, "--repair"])
    #expect(repaired.status == 0, "\(repaired.output)\(repaired.error)")
    #expect(
      repaired.output.contains("  made the ledger again from the files: 14 of 14 jobs are done\n"),
      "\(repaired.output)")
    #expect(DurableFile.exists(run + "/ledger.sqlite.damaged-1"))
    func funnel(_ result: Program.Result) throws -> JSONValue? {
      try JSONValue.parse(Array(result.output.utf8))["funnel"]
    }
    #expect(try funnel(Program.run(["status", run, "--json"])) == funnel(before))
    // The retry goes by the notes that run.json has kept.
    web.heal()
    let healed = try Program.run(["retry", run])
    #expect(healed.status == 0, "\(healed.error)")
    #expect(healed.error.contains("healed: 20 of 20"), "\(healed.error)")
  }
}
