import BatchLoading
import ContentHashing
import Foundation
import ImageCodec
import SeededRandom
import TestTools
import Testing

/// Random crops against torchvision's on what Pillow opens: `Tests/Support/Peers/random_crops.py`.
@Suite struct RandomCropTests {
  private struct Cropped: Decodable {
    struct Case: Decodable {
      var box: [Int]
      var size: Int
      var sha256: String
    }
    var name: String
    var file: Data
    var cases: [Case]
  }

  private struct Drawn: Decodable {
    var width: Int
    var height: Int
    var scale: [Double]
    var draws: [Double]
    var drawn: [Int]
  }

  /// Holds every line against ours; gives how many crops and boxes there were.
  private static func check(_ lines: Data, _ about: String) throws -> (crops: Int, boxes: Int) {
    var (crops, boxes) = (0, 0)
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      if let one = try? JSONDecoder().decode(Drawn.self, from: line) {  // Else it is a file.
        checkBox(one, about)
        boxes += 1
        continue
      }
      let one = try JSONDecoder().decode(Cropped.self, from: line)
      let picture = try ImageDecoder.filePicture(in: Array(one.file))
      for each in one.cases {
        let box = ImagePreprocessing.Box(
          left: each.box[0], top: each.box[1], width: each.box[2], height: each.box[3])
        let square = ImagePreprocessing(size: each.size).square(of: box, in: picture)
        #expect(
          ContentHash.sha256Hex(square.pixels) == each.sha256, "\(about) \(one.name): \(each)")
        crops += 1
      }
    }
    return (crops, boxes)
  }

  private static func checkBox(_ one: Drawn, _ about: String) {
    var draws = one.draws
    let box = ImagePreprocessing.randomCrop(
      width: one.width, height: one.height, scale: one.scale[0]...one.scale[1]
    ) { draws.removeFirst() }
    #expect([box.left, box.top, box.width, box.height] == one.drawn, "\(about) \(one)")
    #expect(draws.isEmpty)
  }

  @Test("parts of pictures of every mode become torchvision's, bit for bit, and boxes its boxes")
  func fixture() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/random_crops.jsonl")
    let (crops, boxes) = try Self.check(try Data(contentsOf: path), "fixture")
    #expect(crops >= 1000 && boxes >= 200)
  }

  @Test("new files, boxes and draws give torchvision's", .peers("open_clip", "torchvision"))
  func peers() async throws {
    let seed = "\(UInt32.random(in: 0...UInt32.max))"
    let script = ProjectFolder.root + "/Tests/Support/Peers/random_crops.py"
    let output = try await PeerPython.run([script, seed, "2", "3000"])
    let (crops, boxes) = try Self.check(Data(output.bytes), "seed \(seed)")
    #expect(crops >= 2000 && boxes >= 3000)
  }

  @Test("converted first, crops are those of the RGB picture; last, those of the file's colours")
  func conversion() throws {
    let pixels = ImagePreprocessingTests.picture(width: 30, height: 20)
    // Of a palette the nearest pixel is taken; of RGB it is a mean.
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/random_crops.jsonl")
    let files = try Data(contentsOf: path).split(separator: UInt8(ascii: "\n")).compactMap {
      // Lines of draws have no file.
      try? JSONDecoder().decode(Cropped.self, from: $0)
    }
    let indexed = try #require(files.first { $0.name.hasPrefix("palette 8") })
    let tars = try ForeignTars()
    defer { tars.remove() }
    try TinyTar.write(
      [
        ("a.png", Array(indexed.file)), ("a.txt", []),
        ("b.png", try ImageEncoder.png(pixels)), ("b.txt", []),
      ], to: tars.folder + "/x.tar")
    func images(_ convertsFirst: Bool) throws -> [String: [Float]] {
      var options = BatchOptions(
        globalBatch: 2, seed: 1, preprocessing: ImagePreprocessing(size: 8), cropScale: 0.5...0.9)
      options.convertsFirst = convertsFirst
      let reader = SampleReader(
        source: try PairSource([DataSource(path: tars.folder)]), options: options
      ) { _ in [] }
      let batch = try BatchLoaderTests.batches(reader, count: 1)[0]
      let each = (0..<2).map { batch.part($0, of: 2) }
      return Dictionary(
        uniqueKeysWithValues: each.map { ($0.keys[0], $0.images.values) })
    }
    let (first, last) = (try images(true), try images(false))
    #expect(first["b"] == last["b"])
    #expect(first["a"] != last["a"])
    // The naive way: decode to RGB, crop, resize.
    let rgb = try ImageDecoder.filePicture(in: Array(indexed.file)).rgb
    var random = RandomStream(seed: 1, path: 0, 0, 0x6372_6F70)
    let naive = ImagePreprocessing(size: 8).train(
      FilePicture(rgb), random: &random, scale: 0.5...0.9)
    #expect(first["a"] == naive)
  }
}
