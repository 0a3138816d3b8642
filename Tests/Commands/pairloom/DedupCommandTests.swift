import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import SceneWorld
import SeededRandom
import Testing

/// `pairloom dedup` as a user runs it.
@Suite(.serialized) struct DedupCommandTests {
  /// Scenes in img2dataset's layout, each `copies` times in a row with its bytes, then encoded again.
  static func shards(_ scenes: Int, in folder: String, seed: UInt64) throws -> [String] {
    let world = DemoWorld(rows: scenes, seed: seed)
    try DurableFile.makeFolder(folder)
    var number = 0
    return try stride(from: 0, to: scenes, by: 100).map { start in
      let writer = try ShardWriter(
        folder: folder, name: RunFolder.digits(start / 100), compression: .none)
      for row in start..<min(start + 100, scenes) {
        let picture = try world.picture(of: row)
        for body in [picture, picture] {
          try writer.append(
            ShardSample(
              key: String(format: "%09d", number),
              members: [
                .init(suffix: "jpg", data: body),
                .init(suffix: "txt", data: Array(world.rows[row].caption.utf8)),
                .init(suffix: "json", data: Array("{\"key\": \"\(number)\"}".utf8)),
              ]))
          number += 1
        }
      }
      let file = "\(folder)/\(try writer.finish().file)"
      try DurableFile.remove("\(folder)/\(RunFolder.digits(start / 100)).idx")
      return file
    }
  }

  static func command(_ out: String, _ source: String, _ more: [String] = []) -> [String] {
    ["dedup", source, "--out", out, "--match", "exact", "--pairs", "150"] + more
  }

  @Test("killed at any moment, the same command goes on to the same bytes")
  func kills() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try Self.shards(1_500, in: source, seed: 3)
    let calm = folder.path + "/calm"
    let start = Date.now
    let whole = try Program.run(Self.command(calm, source, ["--threads", "1"]))
    #expect(whole.status == 0, "\(whole.error)")
    let seconds = Date.now.timeIntervalSince(start)
    let expected = try contents(of: calm, [""])
    #expect(expected["/report.html"] != nil)
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    let out = folder.path + "/out"
    var killed = 0
    for _ in 0..<5 {
      if try Program.runAndKill(Self.command(out, source), after: seconds * random.uniform() / 2) {
        killed += 1
      }
    }
    let last = try Program.run(Self.command(out, source))
    #expect(last.status == 0, "\(last.error)")
    let found = try contents(of: out, [""])
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed), \(killed) kills")
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
    #expect(try DurableFile.names(in: folder.path).sorted() == ["calm", "out", "source"])
  }

  @Test(
    "a full disk ends it and says so; with more room the same command ends it",
    .enabled(if: FullDiskTests.mayMount, "needs the right to mount"))
  func full() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try Self.shards(300, in: source, seed: 4)
    let calm = folder.path + "/calm"
    #expect(try Program.run(Self.command(calm, source)).status == 0)
    let needed = try contents(of: calm, [""]).values.reduce(0) { $0 + $1.count } / 1_024
    let disk = try #require(try FullDiskTests.SmallDisk(kilobytes: needed / 2))
    let out = disk.path + "/out"
    let ended = try Program.run(Self.command(out, source))
    #expect(ended.status == 1, "\(ended.error)")
    #expect(ended.error.contains("Free some space, then run the same command again"))
    try disk.resize(kilobytes: needed * 4)
    let again = try Program.run(Self.command(out, source))
    #expect(again.status == 0, "\(again.error)")
    #expect(try contents(of: out, [""]) == contents(of: calm, [""]))
  }

  @Test("the plan tells what the command then does, for people and for programs")
  func plan() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try Self.shards(120, in: source, seed: 5)
    let words = try Program.run(["dedup", source, "--plan", "--match", "exact"])
    #expect(words.status == 0, "\(words.error)")
    #expect(words.lines.first == "240 pairs")
    #expect(words.lines.contains("nothing was dropped"))
    let told = try Program.run(["dedup", source, "--plan", "--match", "exact", "--json"])
    let plan = try JSONValue.parse(Array(told.output.utf8))
    let out = folder.path + "/out"
    let done = try Program.run(Self.command(out, source, ["--json"]))
    let outcome = try JSONValue.parse(Array(done.output.utf8))
    #expect(plan["dropped"] == outcome["dropped"])
    #expect(plan["pairs"] == outcome["read"])
    let dropped = try #require(outcome["dropped"]?["duplicate_bytes"]?.integer)
    // Every picture is there twice; a few scenes may be the same besides.
    #expect(dropped >= 120 && dropped < 240)
    #expect(outcome["kept"]?.integer == 240 - dropped)
    let other = try Program.run(Self.command(out, source, ["--radius", "3"]))
    #expect(other.status == 2)
    #expect(other.error.contains("radius: was 6, now 3"), "\(other.error)")
  }

  @Test("what it says fits what is wrong")
  func words() throws {
    let folder = try TemporaryFolder()
    let help = try Program.run(["dedup", "--help"])
    #expect(help.status == 0 && help.output.contains("--evaluation-set"))
    let index = try Program.run(["dedup", "index", "--help"])
    #expect(index.output.contains("make") && index.output.contains("compact"))
    let nothing = try Program.run(["dedup", folder.path, "--out", folder.path + "/out"])
    #expect(nothing.status == 2 && nothing.error.contains("no shards"), "\(nothing.error)")
    let gone = try Program.run(["dedup", folder.path + "/a.tar", "--out", folder.path + "/out"])
    #expect(gone.status == 1 && gone.error.contains("a.tar"), "\(gone.error)")
    let radius = try Program.run(["dedup", "x.tar", "--plan", "--radius", "17"])
    #expect(radius.status == 2 && radius.error.contains("0 to 16"), "\(radius.error)")
    let out = try Program.run(["dedup", "x.tar"])
    #expect(out.status == 2 && out.error.contains("--out"), "\(out.error)")
  }

  @Test("indexes are made, merged, told of, checked and written anew")
  func indexes() throws {
    let folder = try TemporaryFolder()
    let place = folder.path
    _ = try Self.shards(60, in: place + "/source", seed: 6)
    let world = DemoWorld(rows: 20, seed: 7)
    try DurableFile.makeFolder(place + "/pictures/below")
    for row in 0..<20 {
      let name = "\(place)/pictures/\(row % 2 == 0 ? "" : "below/")\(row).jpg"
      try DurableFile.write(try world.picture(of: row), to: name)
    }
    func run(_ arguments: [String]) throws -> Program.Result {
      try Program.run(["dedup", "index"] + arguments)
    }
    let (a, b, c) = (place + "/a.index", place + "/b.index", place + "/c.index")
    #expect(try run(["make", place + "/source", "--out", a]).status == 0)
    let made = try run(["make", place + "/pictures", "--out", b])
    #expect(made.status == 0 && made.error.contains("20 pictures"), "\(made.error)")
    #expect(try run(["make", place + "/pictures", "--out", b]).status == 2)
    #expect(try run(["merge", a, b, "--out", c]).status == 0)
    let info = try run(["info", c, "--json"])
    let count = try JSONValue.parse(Array(info.output.utf8))["pictures"]?.integer
    // Equal ones are there once.
    #expect(try #require(count) <= 80 && count ?? 0 > 20)
    #expect(try run(["verify", a, b, c]).status == 0)
    #expect(try run(["compact", c]).status == 0)
    #expect(
      try JSONValue.parse(Array(try run(["info", c, "--json"]).output.utf8))["content"]
        == JSONValue.parse(Array(info.output.utf8))["content"])
    var bytes = try DurableFile.read(b)
    bytes[bytes.count / 2] ^= 0x10
    try DurableFile.write(bytes, to: b)
    let damaged = try run(["verify", a, b])
    #expect(damaged.status == 1 && damaged.output.contains(b), "\(damaged.output)")
    #expect(damaged.error.contains("pairloom dedup index make"))
    #expect(try run(["info", place + "/none.index"]).status == 2)
  }
}
