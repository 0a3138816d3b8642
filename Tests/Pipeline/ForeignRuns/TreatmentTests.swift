import ForeignRuns
import Foundation
import ImageCodec
import PipelineCore
import Testing

/// What sizes and pictures tell of img2dataset's options.
@Suite struct TreatmentTests {
  /// A row of sizes: width, height, and those of the original.
  static func row(_ width: Int, _ height: Int, _ originalWidth: Int, _ originalHeight: Int)
    -> ForeignRow
  {
    var row = ForeignRow()
    for (name, value) in [
      ("width", width), ("height", height), ("original_width", originalWidth),
      ("original_height", originalHeight),
    ] { row.set(name, .int(value)) }
    return row
  }

  static func settings(_ rows: [ForeignRow]) -> [String: String] {
    var facts = TreatmentFacts()
    for row in rows { facts.add(row, format: "jpg") }
    return Dictionary(uniqueKeysWithValues: facts.sizes.map { ($0.key, $0.value) })
  }

  /// Sizes as resizer.py makes them of 400 × 300, 300 × 500, 100 × 80.
  @Test("each resize_mode is told by its sizes, and so is resize_only_if_bigger")
  func modes() {
    #expect(
      Self.settings([Self.row(256, 192, 400, 300), Self.row(154, 256, 300, 500)])
        == ["resize_mode": "keep_ratio_largest", "image_size": "256"])
    #expect(
      Self.settings([
        Self.row(341, 256, 400, 300), Self.row(256, 427, 300, 500), Self.row(320, 256, 100, 80),
      ]) == ["resize_mode": "keep_ratio", "image_size": "256"])
    #expect(
      Self.settings([
        Self.row(341, 256, 400, 300), Self.row(256, 427, 300, 500), Self.row(100, 80, 100, 80),
      ]) == [
        "resize_mode": "keep_ratio", "image_size": "256", "resize_only_if_bigger": "true",
      ])
    #expect(
      Self.settings([Self.row(400, 300, 400, 300), Self.row(100, 80, 100, 80)])
        == ["resize_mode": "no"])
    #expect(
      Self.settings([Self.row(224, 224, 400, 300), Self.row(224, 224, 100, 80)])
        == ["resize_mode": "border", "image_size": "224"])
    #expect(Self.settings([]) == [:])
    #expect(Self.settings([ForeignRow()]) == ["disable_all_reencoding": "true"])
    // No one size: nothing is taken from it.
    #expect(Self.settings([Self.row(200, 100, 400, 200), Self.row(90, 70, 180, 140)]) == [:])
  }

  @Test("white edges tell border, others center_crop", arguments: [true, false])
  func edges(_ isPadded: Bool) throws {
    var facts = TreatmentFacts()
    let size = 32
    for number in 0..<6 {
      let pixels = (0..<size).flatMap { y in
        (0..<size).flatMap { _ -> [UInt8] in
          isPadded && (y < 5 || y >= size - 5) ? [255, 255, 255] : [UInt8(40 * number), 90, 20]
        }
      }
      let image = try ImageEncoder.png(RGBImage(width: size, height: size, pixels: pixels))
      let row = Self.row(size, size, 400, 275)
      facts.add(row, format: "png")
      facts.look(row, image)
    }
    #expect(facts.sizes.first?.value == (isPadded ? "border" : "center_crop"))
    #expect(facts.sizes.first?.source == .looks)
  }
}
