import Foundation
import PairDataset
import PipelineCore
import Testing

/// `pairloom score` as a user runs it.
@Suite(.serialized) struct ScoreCommandTests {
  /// Shards of a run of scenes.
  final class Scenes {
    let folder: TemporaryFolder
    let shards: [String]
    /// Its port is part of the pairs' URLs.
    let origin: DemoOrigin

    init(rows: Int, perShard: Int) throws {
      folder = try TemporaryFolder()
      origin = try DemoOrigin(rows: rows, seed: 3, folder: folder.path)
      let run = folder.path + "/run"
      let woven = try Program.run([
        "run", "scenes", "--folder", run, "--set", "input=\(origin.list)", "--set",
        "chunk_rows=\(perShard)",
      ])
      #expect(woven.status == 0, "\(woven.error)")
      shards = try FileManager.default.contentsOfDirectory(atPath: run + "/shards").sorted()
        .filter { $0.hasSuffix(".tar.lz4") }.map { "\(run)/shards/\($0)" }
    }

    func score(_ out: String, _ more: [String] = []) throws -> Program.Result {
      try Program.run(["score"] + shards + ["--model", "scenes", "--out", out] + more)
    }
  }

  @Test("killed at any moment and shared by processes, the tables are the same")
  func killed() throws {
    let scenes = try Scenes(rows: 240, perShard: 40)
    let root = scenes.folder.path
    let begin = Date()
    let whole = try scenes.score(root + "/whole")
    #expect(whole.status == 0, "\(whole.error)")
    let seconds = Date().timeIntervalSince(begin)
    let arguments = ["score"] + scenes.shards + ["--model", "scenes", "--out"]
    var kills = 0
    for share in [0.2, 0.4, 0.6, 0.8, 0.9] {
      if try Program.runAndKill(arguments + [root + "/cut"], after: seconds * share) { kills += 1 }
    }
    #expect(kills > 0)
    let others = (0..<2).map { _ in Program.make(arguments + [root + "/cut"], environment: [:]) }
    for other in others {
      other.standardError = FileHandle.nullDevice
      other.standardOutput = FileHandle.nullDevice
      try other.run()
    }
    for other in others {
      other.waitUntilExit()
      #expect(other.terminationStatus == 0)
    }
    var expected = try contents(of: root, ["whole"])
    var there = try contents(of: root, ["cut"])
    // What a killed writer leaves has a name of its own.
    there = there.filter { !$0.key.hasSuffix(".tmp") }
    for (name, bytes) in expected {
      #expect(
        there.removeValue(forKey: name.replacingOccurrences(of: "whole/", with: "cut/")) == bytes)
    }
    #expect(there.isEmpty)
    expected = try contents(of: root, ["run/scores/scenes"])
    for (name, _) in expected {
      let number = name.split(separator: "/").last ?? ""
      #expect(
        try PairTable.read("\(root)/\(name)") == PairTable.read("\(root)/whole/\(number)"),
        "\(name)")
    }
    #expect(expected.count == scenes.shards.count)
  }

  @Test(
    "one model's weights with other settings are another model, to scores and to vectors",
    arguments: [
      ("\"interpolation\" : \"bicubic\"", "\"interpolation\" : \"bilinear\"", "preprocessing"),
      ("\"resize_mode\" : \"shortest\"", "\"resize_mode\" : \"squash\"", "preprocessing"),
      ("\"head_width\" : 32", "\"head_width\" : 16", "configuration"),
      ("\"quick_gelu\" : false", "\"quick_gelu\" : true", "activation"),
    ])
  func settings(old: String, new: String, fact: String) throws {
    let scenes = try Scenes(rows: 20, perShard: 20)
    let root = scenes.folder.path
    let bundled = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/CLibraries/CBundledFiles/scorer")
    for name in ["one", "other"] {
      try FileManager.default.copyItem(atPath: bundled.path, toPath: "\(root)/\(name)")
    }
    let json = try String(contentsOfFile: root + "/other/model.json", encoding: .utf8)
    let changed = json.replacingOccurrences(of: old, with: new)
    #expect(changed != json)
    try changed.write(toFile: root + "/other/model.json", atomically: true, encoding: .utf8)
    for command in ["score", "embed"] {
      func run(_ model: String) throws -> Program.Result {
        try Program.run(
          [command] + scenes.shards + [
            "--model", "\(root)/\(model)", "--out", "\(root)/\(command)",
          ])
      }
      let first = try run("one")
      #expect(first.status == 0, "\(first.error)")
      let second = try run("other")
      #expect(second.status != 0)
      #expect(second.error.contains(fact), "\(second.error)")
      #expect(try run("one").status == 0)
    }
  }

  @Test("pictures are decoded in processes of their own: one that is killed costs nothing")
  func decoders() throws {
    let scenes = try Scenes(rows: 400, perShard: 400)
    let root = scenes.folder.path
    let whole = try scenes.score(root + "/whole")
    #expect(whole.status == 0, "\(whole.error)")
    let process = Program.make(
      ["score"] + scenes.shards + ["--model", "scenes", "--out", root + "/killed"], environment: [:]
    )
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    var killed: Set<Int32> = []
    while process.isRunning {
      for child in Self.children(of: process.processIdentifier) where killed.count < 3 {
        if killed.insert(child).inserted { kill(child, SIGKILL) }
      }
      usleep(1_000)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(!killed.isEmpty)
    let expected = try contents(of: root, ["whole"])
    #expect(!expected.isEmpty)
    for (name, bytes) in try contents(of: root, ["killed"]) {
      #expect(bytes == expected[name.replacingOccurrences(of: "killed/", with: "whole/")])
    }
  }

  /// The children of all threads of a process.
  private static func children(of parent: Int32) -> [Int32] {
    let tasks = "/proc/\(parent)/task"
    // A thread that ends while it is looked at has none.
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    return threads.flatMap { thread in
      let list = try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)
      return (list ?? "").split(separator: " ").compactMap { Int32($0) }
    }
  }

  @Test("a foreign shard with a bad picture and no caption is scored, and told of")
  func foreign() throws {
    let scenes = try Scenes(rows: 20, perShard: 20)
    let root = scenes.folder.path
    let reader = try ShardReader(path: scenes.shards[0])
    let pairs = try (0..<3).map { try reader.pair(at: $0) }
    let files: [(String, [UInt8])] = [
      ("a.jpg", pairs[0].image), ("a.txt", Array(pairs[0].caption.utf8)),
      ("b.jpg", Array("no picture".utf8)), ("b.txt", Array(pairs[1].caption.utf8)),
      ("c.jpg", pairs[2].image),
    ]
    for (name, bytes) in files {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
    }
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "-cf", root + "/f.tar", "-C", root] + files.map(\.0)
    try tar.run()
    tar.waitUntilExit()
    let out = root + "/f.parquet"
    let result = try Program.run(
      ["score", root + "/f.tar", "--model", "scenes", "--out", out, "--json"])
    #expect(result.status == 0, "\(result.error)")
    let json = try JSONValue.parse(Array(result.output.utf8))
    #expect(json["pairs"]?.integer == 3 && json["scored"]?.integer == 1)
    #expect(json["faults"]?["undecodable"]?.integer == 1)
    let rows = try PairTable.read(out)
    #expect(rows.map { $0["score"] == nil } == [false, true, true])
    let footer = try PairTable.metadata(of: out)
    for fact in ["weights", "activation", "preprocessing", "tokenizer", "precision", "program"] {
      #expect(footer[fact]?.isEmpty == false, "\(fact)")
    }
  }

  @Test("a run filters by scores out of tables, as by the model that made them")
  func recipe() throws {
    let scenes = try Scenes(rows: 120, perShard: 40)
    let root = scenes.folder.path
    #expect(try scenes.score(root + "/scores").status == 0)
    var kept: [[String]] = []
    for (name, settings) in [
      ("model", ["model=scenes"]), ("tables", ["model=null", "scores=[\(root)/scores]"]),
    ] {
      let run = "\(root)/\(name)"
      let all =
        settings + [
          "input=\(scenes.origin.list)", "chunk_rows=60", "filter.top_fraction=0.5",
        ]
      let result = try Program.run(
        ["run", "scenes", "--folder", run] + all.flatMap { ["--set", $0] })
      #expect(result.status == 0, "\(result.error)")
      if name == "tables" {
        #expect(result.error.contains("pairs found a score"), "\(result.error)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: run + "/filtered").sorted()
      kept.append(
        try names.filter { $0.hasSuffix(".tar.lz4") }.flatMap {
          try ShardReader(path: "\(run)/filtered/\($0)").keys
        })
    }
    #expect(!kept[0].isEmpty && kept[0] == kept[1])
  }
}
