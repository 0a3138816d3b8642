import DecodeStage
import Deduplication
import DurableFiles
import Foundation
import ImageCodec
import PipelineCore
import SeededRandom
import Testing

@Suite struct DuplicateSamplesTests {
  private func sample(_ row: Int, of survivor: Int, difference: Int?) -> DuplicateSample {
    DuplicateSample(
      row: row, uid: "u\(row)", caption: "caption \(row)", url: "",
      drop: Drop(.duplicatePicture, survivor: survivor), distance: 2, difference: difference)
  }

  @Test("half are the most doubtful, the others of the largest groups; the order does not matter")
  func choice() {
    var random = RandomStream(seed: 4)
    // Group 0 has 20 members, group 1 has 5, group 2 one of great difference.
    var all = (0..<20).map { sample(100 + $0, of: 0, difference: $0) }
    all += (0..<5).map { sample(200 + $0, of: 1, difference: nil) }
    all.append(sample(300, of: 2, difference: 90))
    let chosen = SampleChoice.rows(of: all, most: 8)
    #expect(chosen == [100, 101, 117, 118, 119, 200, 201, 300])
    for _ in 0..<5 {
      let order = random.permutation(of: all.count).map { all[$0] }
      #expect(SampleChoice.rows(of: order, most: 8) == chosen)
    }
    #expect(SampleChoice.rows(of: all, most: 100) == all.map(\.row).sorted())
    #expect(SampleChoice.rows(of: [], most: 8) == [])
  }

  @Test("of many chunks few stay, evenly, the same whichever were done twice")
  func chunks() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/samples-" + UUID().uuidString
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let jpeg = try ImageEncoder.jpeg(
      RGBImage(width: 400, height: 200, pixels: [UInt8](repeating: 90, count: 240_000)),
      quality: 90)
    try DurableFile.write(jpeg + jpeg + [1, 2, 3], to: folder + "/bytes")
    let places = [
      ByteRange(offset: 0, length: jpeg.count), ByteRange(offset: jpeg.count, length: jpeg.count),
      ByteRange(offset: 2 * jpeg.count, length: 3),
    ]
    func keep(_ chunk: Int, _ samples: DuplicateSamples) throws {
      try samples.keep(
        chunk: chunk,
        of: places.enumerated().map { (sample(10 * chunk + $0, of: 0, difference: $0), $1) },
        in: folder + "/bytes", by: ThumbnailMaker(worker: nil, side: 100))
    }
    let samples = DuplicateSamples(folder + "/calm", mostOfChunk: 8, mostChunks: 4)
    for chunk in 0..<11 {
      try keep(chunk, samples)
      #expect(try DurableFile.names(in: folder + "/calm").count <= 2 * 4)
    }
    #expect(
      try DurableFile.names(in: folder + "/calm").filter { $0.hasSuffix(".tar") }
        == ["00000.tar", "00004.tar", "00008.tar"])
    let again = DuplicateSamples(folder + "/again", mostOfChunk: 8, mostChunks: 4)
    for chunk in [0, 1, 2, 1, 2, 3, 4, 5, 6, 2, 7, 8, 9, 10, 3, 8, 10] { try keep(chunk, again) }
    for name in try DurableFile.names(in: folder + "/calm") {
      #expect(
        try DurableFile.read("\(folder)/calm/\(name)")
          == DurableFile.read("\(folder)/again/\(name)")
      )
    }
    #expect(
      try DurableFile.names(in: folder + "/calm") == DurableFile.names(in: folder + "/again"))
    let read = try samples.read()
    // What does not decode is no sample.
    #expect(
      read.map(\.sample)
        == [0, 4, 8].flatMap { chunk in
          (0..<2).map { sample(10 * chunk + $0, of: 0, difference: $0) }
        })
    let header = try ImageDecoder.header(of: read[0].jpeg)
    #expect(header.width == 100 && header.height == 50)
    #expect(try DuplicateSamples(folder + "/none").read().isEmpty)
  }

  @Test("a run's chunk keeps what its tables say was dropped, and nothing that is forgotten")
  func run() throws {
    let run = RunFolder(FileManager.default.temporaryDirectory.path + "/run-" + UUID().uuidString)
    try run.make()
    defer { try? FileManager.default.removeItem(atPath: run.path) }
    let jpeg = try ImageEncoder.jpeg(
      RGBImage(width: 30, height: 20, pixels: [UInt8](repeating: 90, count: 1_800)), quality: 90)
    try DurableFile.write(jpeg + jpeg + jpeg, to: run.decodedBytes(0))
    let hash = String(repeating: "a", count: 64)
    let rows = (0..<3).map { row in
      DecodedRow(
        row: row, sha256: hash, bytes: ByteRange(offset: row * jpeg.count, length: jpeg.count))
    }
    try PairTable.write(
      rows.map(\.json), columns: DecodedRow.columns, to: run.decodedTable(0))
    try JSONLines.write(
      (0..<3).map { row in
        PairCandidate(
          row: row, uid: "u\(row)", url: "http://a.test/\(row)", caption: "caption \(row)",
          columns: []
        ).json
      }, to: run.chunkTable(0))
    let verdicts = [
      Verdict(row: 0, sha256: hash),
      Verdict(
        row: 1, sha256: hash, drop: Drop(.duplicatePicture, survivor: 0),
        match: DuplicateMatch(uid: "u0", distance: 3, difference: 41)),
      Verdict(row: 2, sha256: hash, drop: Drop(.forgotten)),
    ]
    let samples = DuplicateSamples(of: run)
    try samples.keep(chunk: 0, verdicts, in: run, by: ThumbnailMaker(worker: nil))
    #expect(
      try samples.read().map(\.sample) == [
        DuplicateSample(
          row: 1, uid: "u1", caption: "caption 1", url: "http://a.test/1",
          drop: Drop(.duplicatePicture, survivor: 0), survivorUID: "u0", distance: 3,
          difference: 41)
      ])
    // Done again when the pictures are gone, what there is stays.
    try DurableFile.remove(run.decodedBytes(0))
    try samples.keep(chunk: 0, [verdicts[0]], in: run, by: ThumbnailMaker(worker: nil))
    #expect(try samples.read().count == 1)
    try samples.removeAll()
    #expect(!DurableFile.exists(samples.folder))
  }
}
