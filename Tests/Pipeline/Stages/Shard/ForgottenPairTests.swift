import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import ShardStage
import Testing

/// A shard job of a run that went on while pairs were taken out of it.
@Suite struct ForgottenPairTests {
  @Test(
    "what is forgotten is not shipped, whatever the tables say; an old shard goes with the last")
  func notShipped() async throws {
    let (folder, context) = try ShardStageTests.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(options: ShardOptions(), rowsPerShard: 1_000)
    func run(forgetting uids: [String]) async throws -> (StageReport, [JSONValue]) {
      var forgotten = ForgottenPairs()
      forgotten.add(try ForgetRequest(.host, "elsewhere.test"), at: 0, uids: uids)
      try forgotten.write(to: folder)
      let report = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
      return (report, try PairTable.read(folder.shardTable(1)))
    }
    let (all, rows) = try await run(forgetting: [])
    #expect(all.kept == 2)
    let (one, some) = try await run(forgetting: ["uid0"])
    #expect(one.kept == 1)
    let path = folder.shards + "/" + (try #require(one.shard?.file))
    #expect(try ShardReader(path: path).keys == ["uid6"])
    #expect(some[0]["reason"]?.text == "forgotten")
    #expect(!some[0].serialized.contains("caption 0") && !some[0].serialized.contains(".test"))
    #expect(some.dropFirst() == rows.dropFirst())
    let (none, _) = try await run(forgetting: ["uid0", "uid6"])
    #expect(none.kept == 0 && none.shard == nil)
    #expect(!DurableFile.exists(path))
    #expect(!DurableFile.exists(folder.shards + "/00001.idx"))
  }
}
