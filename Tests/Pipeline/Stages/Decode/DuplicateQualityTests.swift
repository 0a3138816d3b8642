import DecodeStage
import Foundation
import PerceptualHash
import PipelineCore
import Testing

/// How many copies of real pictures are found, and that nothing else is taken for one.
@Suite struct DuplicateQualityTests {
  /// Pictures, copies made of them and which is whose, where a developer has them.
  private static let data: URL? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<6 { root.deleteLastPathComponent() }
    let folder = root.appendingPathComponent("shared/data")
    let truth = folder.appendingPathComponent("variants/variants.jsonl").path
    return FileManager.default.fileExists(atPath: truth) ? folder : nil
  }()

  private struct Labelled {
    var path: String
    var origin: String
    /// Originals of one group are alike by nature: neither right nor wrong.
    var group: String?
  }

  @Test(
    "of what was encoded anew, resized, or made brighter, 98 in 100 pairs are found, 999 in 1000 rightly",
    .enabled(if: data != nil, "needs ../shared/data"))
  func recallAndPrecision() throws {
    let data = try #require(Self.data).path
    var pictures = try JSONLines.read(data + "/corpus/captions.jsonl").compactMap { row in
      row["path"]?.text.map {
        Labelled(
          path: data + "/corpus/" + $0, origin: $0,
          group: row["lookalike_group"]?.text ?? row["natural_group"]?.text)
      }
    }
    let kinds: Set = ["reencode", "resize", "brightness"]
    pictures += try JSONLines.read(data + "/variants/variants.jsonl").compactMap { row in
      guard let kind = row["kind"]?.text, kinds.contains(kind), let path = row["path"]?.text,
        let origin = row["of"]?.text
      else { return nil }
      return Labelled(path: data + "/variants/" + path, origin: origin)
    }
    let bodies = try pictures.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0.path))) }
    let signatures = try PictureExaminer(worker: nil).examine(bodies, threads: 2).map {
      try $0.get().signature
    }
    try boundIsSound(signatures)
    for (radius, least) in [(8, 0.98), (10, 0.98)] {
      var (all, found, wrong) = (0, 0, 0)
      let keys = signatures.map(\.key)
      for second in pictures.indices {
        for first in 0..<second {
          let isSame = pictures[first].origin == pictures[second].origin
          if isSame { all += 1 }
          guard (keys[first] ^ keys[second]).nonzeroBitCount <= radius,
            signatures[first].isSamePicture(as: signatures[second], radius: radius)
          else { continue }
          if isSame { found += 1 }
          let isAlike =
            pictures[first].group != nil && pictures[first].group == pictures[second].group
          if !isSame && !isAlike { wrong += 1 }
        }
      }
      #expect(all > 900)
      #expect(Double(found) >= least * Double(all), "radius \(radius): \(found) of \(all)")
      #expect(wrong * 999 <= found, "radius \(radius): \(wrong) wrong of \(found + wrong)")
    }
  }

  /// The bound that spares comparisons rules out no real pair that counts as one, whatever the keys.
  private func boundIsSound(_ signatures: [PictureSignature]) throws {
    // Every tenth and its neighbours at the end, where the copies are.
    let some =
      (signatures.indices.filter { $0 % 10 == 0 }.prefix(480) + signatures.indices.suffix(160))
      .map { signatures[$0] }
    let size = SignatureBlock.most
    let blocks = stride(from: 0, to: some.count, by: size).map {
      SignatureBlock(Array(some[$0..<min($0 + size, some.count)]), isComparedOften: true)
    }
    for (first, block) in blocks.enumerated() {
      for (second, other) in blocks.enumerated() {
        var found: [[Int]] = []
        block.forEachSame(as: other, radius: 64) { place, otherPlace, _, difference in
          found.append([first * size + place, second * size + otherPlace, difference])
        }
        var expected: [[Int]] = []
        for one in first * size..<min((first + 1) * size, some.count) {
          for two in second * size..<min((second + 1) * size, some.count) {
            if let difference = some[one].differenceIfSame(as: some[two], radius: 64) {
              expected.append([one, two, difference])
            }
          }
        }
        #expect(found == expected)
      }
    }
  }
}
