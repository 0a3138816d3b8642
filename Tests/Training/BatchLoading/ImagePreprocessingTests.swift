import BatchLoading
import ContentHashing
import Foundation
import ImageCodec
import SeededRandom
import Testing

/// Against torchvision and Pillow: `Fixtures/make_preprocessing.py` made the file.
@Suite struct ImagePreprocessingTests {
  struct Fixture: Decodable {
    struct Evaluation: Decodable {
      var width: Int
      var height: Int
      var size: Int
      var filter: ResampleFilter
      var resizeMode: ImagePreprocessing.ResizeMode
      var fillColor: UInt8
      var sha256: String
      var first: [Float]
    }
    struct Crop: Decodable {
      var width: Int
      var height: Int
      var scale: [Double]
      var draws: [Double]
      var box: [Int]
    }
    var evaluate: [Evaluation]
    var crops: [Crop]
  }

  static func fixture() throws -> Fixture {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/preprocessing.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  static func picture(width: Int, height: Int) -> RGBImage {
    var state = UInt32(width * 1000 + height)
    let pixels = (0..<(width * height * 3)).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  @Test("evaluation equals torchvision's, the 8-bit picture bit for bit")
  func evaluate() throws {
    for expected in try Self.fixture().evaluate {
      let preprocessing = ImagePreprocessing(
        size: expected.size, filter: expected.filter, resizeMode: expected.resizeMode,
        fillColor: expected.fillColor)
      let image = Self.picture(width: expected.width, height: expected.height)
      #expect(
        ContentHash.sha256Hex(preprocessing.square(image).pixels) == expected.sha256,
        "\(expected)")
      let values = preprocessing.evaluate(image)
      let plane = expected.size * expected.size
      for channel in 0..<3 {
        for column in 0..<4 {
          #expect(values[channel * plane + column] == expected.first[channel * 4 + column])
        }
      }
    }
  }

  @Test("a random crop takes torchvision's box for the same draws")
  func crops() throws {
    for expected in try Self.fixture().crops {
      var draws = expected.draws
      let box = ImagePreprocessing.randomCrop(
        width: expected.width, height: expected.height,
        scale: expected.scale[0]...expected.scale[1]
      ) { draws.removeFirst() }
      #expect([box.left, box.top, box.width, box.height] == expected.box)
      #expect(draws.isEmpty)
    }
  }

  @Test("the same address draws the same crop, another one another")
  func address() {
    let image = Self.picture(width: 60, height: 40)
    let preprocessing = ImagePreprocessing(size: 16)
    func crop(_ epoch: UInt64) -> [Float] {
      var stream = RandomStream(seed: 1, path: epoch, 7)
      return preprocessing.train(FilePicture(image), random: &stream, scale: 0.3...1)
    }
    #expect(crop(1) == crop(1))
    #expect(crop(1) != crop(2))
  }
}
