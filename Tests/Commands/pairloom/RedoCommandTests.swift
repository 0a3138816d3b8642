import Foundation
import SeededRandom
import Testing

/// `pairloom run --redo` as a user runs it, and as a kill interrupts it.
@Suite(.serialized) struct RedoCommandTests {
  static let rows = 300
  static let parts = ["decoded", "deduplicated", "shards", "scores", "filtered", "dataset.json"]

  static func run(_ folder: String, _ origin: DemoOrigin, _ options: [String]) -> [String] {
    [
      "run", "scenes", "--folder", folder, "--set", "input=\(origin.list)", "--set",
      "chunk_rows=20",
    ]
      + options.flatMap { ["--set", $0] }
  }

  static let cases: [(stage: String, old: [String], new: [String])] = [
    ("shard", [], ["compression=none", "shard_pairs=33", "key_scheme=img2dataset"]),
    ("decode", ["keep=[fetched]"], ["image_size=40", "keep=[fetched]"]),
  ]

  @Test("a redo killed at random moments ends with the bytes of a new run", arguments: cases)
  func killed(stage: String, old: [String], new: [String]) throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: Self.rows, seed: 9, folder: folder.path)
    let (fresh, redone) = (folder.path + "/fresh", folder.path + "/redone")
    #expect(try Program.run(Self.run(fresh, origin, new)).status == 0)
    #expect(try Program.run(Self.run(redone, origin, old)).status == 0)
    let expected = try contents(of: fresh, Self.parts)

    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    let redo = Self.run(redone, origin, new) + ["--redo", stage]
    var kills = 0
    for turn in 0..<12 {
      // Once it is begun, the run with the new options ends it as well.
      let isBegun = kills > 3 && turn % 3 == 2
      let arguments = isBegun ? Self.run(redone, origin, new) : redo
      guard try Program.runAndKill(arguments, after: random.uniform(in: 0.02..<0.5)) else { break }
      kills += 1
    }
    let last = try Program.run(redo)
    #expect(last.status == 0, "\(last.error)")
    #expect(kills > 0, "seed \(seed)")
    let found = try contents(of: redone, Self.parts)
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs after \(kills) kills, seed \(seed)")
    }
    let verified = try Program.run(["verify", redone])
    #expect(verified.status == 0, "\(verified.output)")
  }

  @Test("a changed option ends with 2 and says by stage what differs and what may be done")
  func words() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 40, seed: 9, folder: folder.path)
    let run = folder.path + "/run"
    #expect(try Program.run(Self.run(run, origin, [])).status == 0)
    let refused = try Program.run(Self.run(run, origin, ["compression=none"]))
    #expect(refused.status == 2)
    for words in [
      "this folder holds a run with other options:\n  shard\n    compression: was lz4, now none\n",
      "--redo shard: does shard, score and filter again, with the pictures of the run's own shards",
    ] { #expect(refused.error.contains(words), "\(refused.error)") }
    let early = try Program.run(Self.run(run, origin, ["compression=none"]) + ["--redo", "filter"])
    #expect(early.status == 2)
    #expect(early.error.contains("--redo filter comes too late"), "\(early.error)")
    let done = try Program.run(Self.run(run, origin, ["compression=none"]) + ["--redo", "shard"])
    #expect(done.status == 0)
    #expect(
      done.error.contains(
        "to be done again: shard, score, filter (5 jobs)\nshard\n  compression: was lz4, now none\n"
      ),
      "\(done.error)")
    for (stage, words) in [("shards", "'shards' is no stage"), ("ingest", "taken in once")] {
      let wrong = try Program.run(Self.run(run, origin, ["compression=none"]) + ["--redo", stage])
      #expect(wrong.status == 2)
      #expect(wrong.error.contains(words), "\(wrong.error)")
    }
    let help = try Program.run(["run", "--help"]).output
    for stage in ["filter", "score", "shard", "deduplicate", "decode", "download"] {
      #expect(help.contains("--redo \(stage) "), "\(stage)")
    }
  }
}
