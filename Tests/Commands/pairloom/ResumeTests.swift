import Foundation
import Testing

/// Kill -9 at any moment, run again: the same bytes as a run that was never killed.
@Suite(.serialized) struct ResumeTests {
  static let rows = 400
  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  @Test(
    "a run killed at random moments ends with the bytes of one that was not", arguments: [1, 3])
  func killed(workers: Int) throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: Self.rows, seed: 5, folder: folder.path)
    let whole = folder.path + "/whole"
    let result = try Program.run(arguments(whole, origin, workers: 1))
    #expect(result.status == 0, "\(result.error)")
    let expected = try contents(of: whole, Self.parts)
    #expect(expected.keys.contains("dataset.json"))
    #expect(expected.keys.filter { $0.hasSuffix(".tar.lz4") }.count >= 5)

    // Moments from before the ledger exists to the last stage.
    var random = SystemRandomNumberGenerator()
    let killedFolder = folder.path + "/killed"
    var kills = 0
    for _ in 0..<40 {
      let pause = Double.random(in: 0.02...0.6, using: &random)
      let arguments = arguments(killedFolder, origin, workers: workers)
      guard try Program.runAndKill(arguments, after: pause) else { break }
      kills += 1
    }
    let last = try Program.run(arguments(killedFolder, origin, workers: workers))
    #expect(last.status == 0, "\(last.error)")
    #expect(kills > 0)
    let found = try contents(of: killedFolder, Self.parts)
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs after \(kills) kills")
    }
  }

  private func arguments(_ folder: String, _ origin: DemoOrigin, workers: Int) -> [String] {
    [
      "run", "scenes", "--folder", folder, "--workers", "\(workers)",
      "--set", "input=\(origin.list)", "--set", "chunk_rows=50",
    ]
  }
}
