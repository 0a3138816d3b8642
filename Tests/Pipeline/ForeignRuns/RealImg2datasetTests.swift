import DurableFiles
import ForeignRuns
import Foundation
import ImageCodec
import PipelineCore
import TestTools
import Testing
import URLPipeline

/// Folders that img2dataset itself has written.
@Suite struct RealImg2datasetTests {
  static let program = PeerPython.program("img2dataset")

  @Test(
    "img2dataset's own folder imports with its counts and its words, verifies, and heals",
    .enabled(if: program != nil, "no img2dataset: name its Python in PAIRLOOM_PEERS_PYTHON"))
  func folder() async throws {
    let web = try ImportWeb()
    let paths =
      (0..<30).map { "/ok/\($0)" } + (30..<36).map { "/late/\($0)" }
      + (36..<40).map { "/gone/\($0)" } + ["/ok/0", "/ok/1"]
    let list = "\(web.folder)/list.csv"
    try DurableFile.write(
      "url,caption,note\n"
        + paths.enumerated().map { "\(web.server.url($1)),\"words, \($0)\",\($0)\n" }.joined()
        + "http://127.0.0.1:1/refused,nobody,x\nno url,nothing,y\n", to: list)
    _ = try await ChildProgram.run(
      try #require(Self.program),
      [
        "--url_list", list, "--input_format", "csv", "--url_col", "url", "--caption_col", "caption",
        "--output_format", "webdataset", "--output_folder", "\(web.folder)/i2d", "--image_size",
        "16",
        "--resize_mode", "keep_ratio", "--number_sample_per_shard", "15", "--thread_count", "4",
        "--save_additional_columns", "[\"note\"]", "--enable_wandb", "False",
      ], environment: ["NO_ALBUMENTATIONS_UPDATE": "1"])
    let outcome = try await web.load("i2d", into: "run", ["policy=off"])
    #expect(outcome.findings.isEmpty)
    #expect((outcome.shards, outcome.rows, outcome.pairs, outcome.linked) == (3, 44, 32, 3))
    #expect(outcome.failures == [.httpStatus: 10, .connect: 1, .badURL: 1])
    let assumed = Dictionary(uniqueKeysWithValues: outcome.assumed.map { ($0.key, $0.value) })
    #expect(assumed["image_size"] == "16" && assumed["chunk_rows"] == "15")
    #expect(assumed["encode_format"] == "jpg" && assumed["extract_exif"] == "true")
    for number in 0..<3 {
      let name = "\(RunFolder.digits(number)).parquet"
      let (old, new) = (
        try PairTable.read("\(web.folder)/i2d/\(name)"),
        try PairTable.read("\(web.folder)/run/shards/\(name)")
      )
      #expect(old == new, "\(name)")
    }
    #expect(try await web.verify("run").isWhole)
    web.heal()
    let healed = try await web.retry("run", where: "class = 'transient' OR status = 404")
    #expect(healed.status.pairs("kept") == 42)
    #expect(try await web.verify("run").isWhole)
    let sizes = try web.pairs("run").map { try ImageDecoder.header(of: $0.image).width }
    #expect(sizes == [Int](repeating: 16, count: 42))
  }
}
