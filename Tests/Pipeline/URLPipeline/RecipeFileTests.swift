import Foundation
import Testing
import URLPipeline

/// `Pipelines/urls.yaml` against the code that reads it.
@Suite struct RecipeFileTests {
  private static let text: String? = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return try? String(  // a missing file fails the test below
      contentsOf: url.appendingPathComponent("Pipelines/urls.yaml"), encoding: .utf8)
  }()

  @Test("the bundled recipe has every key with the default that the code has, and no other")
  func defaults() throws {
    let text = try #require(Self.text)
    let file = try PipelineRecipe(yaml: text, path: "urls", overrides: ["input=LIST"])
    let code = try PipelineRecipe(yaml: "", path: "none", overrides: ["input=LIST"])
    #expect(
      file.resolved.map { "\($0.key): \($0.value)" }
        == code.resolved.map { "\($0.key): \($0.value)" })
    #expect(file.ingest == code.ingest)
    #expect(file.download == code.download)
    // A key that the file left out would resolve to the default as well: each must stand there.
    var level = ""
    var keys: Set<String> = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let name = line.drop { $0 == " " }.prefix { $0 != ":" }
      if line.hasPrefix(" ") {
        if !name.hasPrefix("#") { keys.insert("\(level).\(name)") }
      } else {
        level = String(name)
        if !line.hasSuffix(":") { keys.insert(level) }
      }
    }
    #expect(keys == Set(code.resolved.map(\.key)))
    // What is said to change nothing but the pace is what may differ when a run is resumed.
    let paced = text.split(separator: "\n")
      .filter { $0.contains("# (pace)") || $0.contains("# (route)") }.count
    #expect(paced == code.tuning.count)
  }

  @Test("the bounds of slow transfers are options")
  func lowSpeed() throws {
    let recipe = try PipelineRecipe(
      yaml: "download:\n  low_speed_bytes_per_second: 1000\n", path: "test",
      overrides: ["input=LIST", "download.low_speed_seconds=5"])
    #expect(recipe.download.fetch.lowSpeedBytesPerSecond == 1_000)
    #expect(recipe.download.fetch.lowSpeedSeconds == 5)
  }
}
