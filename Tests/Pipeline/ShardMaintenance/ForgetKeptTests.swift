import DurableFiles
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

/// What is taken out goes from the bytes that a run keeps, too, and stays out when they are used.
@Suite struct ForgetKeptTests {
  @Test("kept bytes hold nothing of a pair that was taken out, and a redo does not bring it back")
  func kept() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["keep=[fetched, decoded]"])
    let folder = RunFolder(web.folder + "/run")
    let picture = MaintenanceWeb.picture(12)
    func holds(_ picture: [UInt8]) throws -> Bool {
      let bytes = try DurableFile.read(folder.fetchedBytes(1, attempt: 1))
      return bytes.indices.contains { bytes[$0...].starts(with: picture) }
    }
    #expect(try holds(picture))
    let before = try web.rows("run")
    let size = try DurableFile.size(of: folder.fetchedBytes(1, attempt: 1))
    let request = try ForgetRequest(.url, web.server.url("/ok/12"))
    _ = try await Forgetter.forget([request], in: folder, now: 5)
    #expect(try !holds(picture))
    #expect(try holds(MaintenanceWeb.picture(13)))
    #expect(try DurableFile.size(of: folder.fetchedBytes(1, attempt: 1)) == size)
    let recipe = try await PipelineRun.recipe(of: folder.path, overrides: ["compression=none"])
    for stage in [StageName.shard, .deduplicate, .decode] {
      let run = try PipelineRun(recipe: recipe, folder: folder.path, workers: 1)
      #expect(try await run.redo(stage).jobs ?? 0 > 0)
      #expect(try await run.run().isComplete)
      #expect(try web.rows("run") == before.filter { $0 != 12 })
    }
  }
}
