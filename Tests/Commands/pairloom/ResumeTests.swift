import Foundation
import SeededRandom
import Testing

/// Kill -9 at any moment, run again: the same bytes as a run that was never killed.
@Suite(.serialized) struct ResumeTests {
  static let rows = 400
  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  /// Workers, and how the shards are named, cut and stored.
  static let cases: [(workers: Int, options: [String])] = [
    (1, []), (2, ["key_scheme=img2dataset", "shard_pairs=33"]),
    (
      4,
      [
        "key_scheme=img2dataset", "shard_bytes=200000", "shard_pairs=41", "encode_format=png",
        "encode_quality=6",
      ]
    ),
  ]

  @Test(
    "a run killed at random moments ends with the bytes of one that was not", arguments: cases)
  func killed(workers: Int, options: [String]) throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: Self.rows, seed: 5, folder: folder.path)
    let whole = folder.path + "/whole"
    let result = try Program.run(arguments(whole, origin, workers: 1, options))
    #expect(result.status == 0, "\(result.error)")
    let expected = try contents(of: whole, Self.parts)
    #expect(expected.keys.contains("dataset.json"))
    #expect(expected.keys.filter { $0.hasSuffix(".tar.lz4") }.count >= 5)

    // Moments from before the ledger exists to the last stage.
    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    let killedFolder = folder.path + "/killed"
    var killsOfWork = 0
    for _ in 0..<40 {
      let arguments = arguments(killedFolder, origin, workers: workers, options)
      guard try Program.runAndKill(arguments, after: random.uniform(in: 0.05..<0.8)) else { break }
      let hasBegun = FileManager.default.fileExists(atPath: killedFolder + "/chunks/00000.jsonl")
      if hasBegun { killsOfWork += 1 }
    }
    let last = try Program.run(arguments(killedFolder, origin, workers: workers, options))
    #expect(last.status == 0, "\(last.error)")
    #expect(killsOfWork > 0, "seed \(seed)")
    let found = try contents(of: killedFolder, Self.parts)
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs after \(killsOfWork) kills, seed \(seed)")
    }
  }

  private func arguments(
    _ folder: String, _ origin: DemoOrigin, workers: Int, _ options: [String]
  ) -> [String] {
    ["run", "scenes", "--folder", folder, "--workers", "\(workers)"]
      + (["input=\(origin.list)", "chunk_rows=50"] + options).flatMap { ["--set", $0] }
  }
}
