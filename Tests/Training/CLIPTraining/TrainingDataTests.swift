import BatchLoading
import CLIPTraining
import Checkpointing
import DistributedTraining
import Foundation
import ImageCodec
import PairDataset
import RankThreads
import Testing

/// A run's data as its manifest states it.
@Suite(.serialized) struct TrainingDataTests {
  static func sources(_ data: String) throws -> [DataSource] {
    let text = ColouredSquares.manifestText(data: data)
    return try TrainingManifest.parse(text, name: "m", overrides: []).sources
  }

  @Test("data is a path, or a list of paths with weights")
  func manifest() throws {
    #expect(try Self.sources("a/dataset.json") == [DataSource(path: "a/dataset.json")])
    #expect(
      try Self.sources("[a, {path: 'b/{00..09}.tar', weight: 2.5}, {path: c}]")
        == [
          DataSource(path: "a"), DataSource(path: "b/{00..09}.tar", weight: 2.5),
          DataSource(path: "c"),
        ])
    for (wrong, word) in [
      ("[]", "empty"), ("{path: a}", "list"), ("[{weight: 2}]", "data[0].path"),
      ("[a, {path: b, weight: 0}]", "data[1].weight"), ("[{path: a, wieght: 2}]", "wieght"),
      ("[a, a]", "twice"),
    ] {
      let error = #expect(throws: ManifestError.self) { try Self.sources(wrong) }
      #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }
  }

  @Test("loader_threads and augmentation.convert are read, and refused by name when they are wrong")
  func options() throws {
    func manifest(_ settings: [String]) throws -> TrainingManifest {
      try TrainingManifest.parse(
        ColouredSquares.manifestText(data: "a"), name: "m", overrides: settings)
    }
    #expect(try manifest([]).loaderThreads == 0)
    #expect(try manifest(["loader_threads=3"]).loaderThreads == 3)
    #expect(try manifest(["augmentation.scale=[0.9, 1]"]).convertsFirst)
    #expect(try !manifest(["augmentation.convert=last"]).convertsFirst)
    for wrong in ["loader_threads=-1", "augmentation.convert=never"] {
      let error = #expect(throws: ManifestError.self) { try manifest([wrong]) }
      #expect(error.map { wrong.hasPrefix($0.key) } == true)
    }
  }

  /// 64 pairs in a shard of our own, of which every fifth is cut, and the manifest of a run over them.
  static func broken() throws -> ColouredSquares {
    let data = try ColouredSquares()
    let writer = try ShardWriter(folder: data.folder, name: "00000", compression: .lz4)
    for index in 0..<64 {
      var pair = try ColouredSquares.pair(index)
      if index % 5 == 0 { pair.image.removeLast(pair.image.count / 2) }
      try writer.append(pair)
    }
    try DatasetManifest(shards: [try writer.finish()], recipeSHA256: "", funnel: []).write(
      to: data.dataset)
    return data
  }

  static func lines(_ folder: String) throws -> [ReplacementLine] {
    try ReplacementLog.lines(
      Array(try Data(contentsOf: URL(filePath: folder + "/replaced.jsonl"))))
  }

  @Test("every replaced pair is told once, the same by one rank, two, and after a resume")
  func replaced() throws {
    let data = try Self.broken()
    defer { data.remove() }
    // An epoch is eight steps; the log is written at other steps than the checkpoints.
    let manifest = try data.manifest([
      "global_batch=8", "steps=18", "log_every=3", "optimizer.warmup_steps=0",
      "loader_threads=2",
    ])
    let one = try CLIPTrainingRunTests.train(manifest, in: data.folder + "/one")
    _ = try CLIPTrainingRunTests.train(manifest, in: data.folder + "/two", world: 2)
    let lines = try Self.lines(data.folder + "/one")
    #expect(Set(lines.map(\.key)) == Set((0..<64).filter { $0 % 5 == 0 }.map { "s\($0)" }))
    #expect(lines.count == 13)
    #expect(lines.map(\.step) == lines.map(\.step).sorted())
    #expect(lines.allSatisfy { $0.source == data.dataset && !$0.why.isEmpty && $0.step <= 8 })
    for line in lines {
      let number = try #require(Int(line.key.dropFirst()))
      #expect(line.standIn == "s\((number + 1) % 64)")
    }
    #expect(try Self.lines(data.folder + "/two") == lines)
    // Stopped, and lines of steps that no checkpoint holds as a crash leaves them.
    let parts = data.folder + "/parts"
    let first = try CLIPTrainingRunTests.train(manifest, in: parts, stopAfter: 3)
    let path = parts + "/replaced.jsonl"
    let before = lines.filter { $0.step <= first.outcomes[0].step }
    #expect(try Self.lines(parts) == before)
    #expect(!before.isEmpty && before.count < lines.count)
    let whole = try Data(contentsOf: URL(filePath: data.folder + "/one/replaced.jsonl"))
    try whole.dropLast(9).write(to: URL(filePath: path))
    let resumed = try CLIPTrainingRunTests.train(manifest, in: parts)
    #expect(try Data(contentsOf: URL(filePath: path)) == whole)
    #expect(resumed.parameters == one.parameters)
  }

  @Test("foreign tars in a list train as the dataset.json of the same pairs does, bit for bit")
  func foreign() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let common = ["steps=3", "log_every=1", "optimizer.warmup_steps=0", "loader_threads=3"]
    let own = try CLIPTrainingRunTests.train(
      try data.manifest(common), in: data.folder + "/own")
    let foreign = try CLIPTrainingRunTests.train(
      try data.manifest(common + ["data=[{path: \(data.folder)/00000.tar.lz4}]"]),
      in: data.folder + "/foreign")
    #expect(own.losses == foreign.losses && own.parameters == foreign.parameters)
    let twice = try CLIPTrainingRunTests.train(
      try data.manifest(
        common + ["global_batch=96", "data=[{path: \(data.folder)/00000.tar.lz4, weight: 1.5}]"]),
      in: data.folder + "/twice", world: 2)
    #expect(twice.outcomes.map(\.step) == [3, 3])
  }
}
