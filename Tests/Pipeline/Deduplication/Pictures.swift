import CaptionMatching
import ContentHashing
import Deduplication
import Foundation
import ImageCodec
import PerceptualHash
import PipelineCore
import SeededRandom

/// Small pictures with something to see, copies of them, and pairs that have them.
enum Pictures {
  /// Soft blobs of colour; no two numbers look alike.
  static func scene(_ number: Int, side: Int = 48) -> RGBImage {
    var random = RandomStream(seed: 11, path: UInt64(number))
    let blobs = (0..<12).map { _ in
      (
        x: random.uniform(), y: random.uniform(), size: random.uniform(in: 0.05..<0.3),
        colour: (0..<3).map { _ in random.uniform(in: -200..<200) }
      )
    }
    var pixels: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        var sums = [128.0, 128.0, 128.0]
        for blob in blobs {
          let (dx, dy) = (Double(x) / Double(side) - blob.x, Double(y) / Double(side) - blob.y)
          let weight = exp(-(dx * dx + dy * dy) / (2 * blob.size * blob.size))
          for channel in 0..<3 { sums[channel] += weight * blob.colour[channel] }
        }
        pixels += sums.map { UInt8(max(0, min(255, $0))) }
      }
    }
    return RGBImage(width: side, height: side, pixels: pixels)
  }

  /// The picture with noise of up to `strength` in every value.
  static func noisy(_ image: RGBImage, _ strength: Int, seed: Int) -> RGBImage {
    var random = RandomStream(seed: UInt64(seed))
    return RGBImage(
      width: image.width, height: image.height,
      pixels: image.pixels.map { value in
        UInt8(max(0, min(255, Int(value) + random.integer(below: 2 * strength + 1) - strength)))
      })
  }

  static func digest(_ word: String) -> String { ContentHash.sha256Hex(Array(word.utf8)) }

  static func pair(
    _ row: Int, _ signature: PictureSignature?, bytes: String? = nil, caption: String = "",
    quality: Double = 0
  ) -> JudgedPair {
    JudgedPair(
      row: row, uid: String(digest("uid \(row)").prefix(32)),
      sha256: digest(bytes ?? "bytes of \(row)"), signature: signature, caption: caption, url: "",
      quality: quality)
  }

  /// Pairs of which many are copies of earlier ones, near and less near, under few captions.
  static func pairs(_ count: Int, seed: UInt64) -> [JudgedPair] {
    var random = RandomStream(seed: seed)
    let captions = ["a dog", "A  Dog", "a cat", "two cats", "", "a boat on a lake"]
    return (0..<count).map { row in
      let scene = random.integer(below: max(1, count / 3))
      let strength = [0, 6, 30, 90][random.integer(below: 4)]
      let image = strength == 0 ? self.scene(scene) : noisy(self.scene(scene), strength, seed: row)
      return pair(
        row, random.integer(below: 20) == 0 ? nil : PictureSignature(of: image),
        bytes: strength == 0 ? "scene \(scene)" : nil,
        caption: captions[random.integer(below: captions.count)],
        quality: Double(random.integer(below: 5)))
    }
  }

  static func folder() -> String {
    FileManager.default.temporaryDirectory.path + "/duplicates-" + UUID().uuidString
  }

  static func sameCaption(_ a: JudgedPair, _ b: JudgedPair) -> Bool {
    NormalizedCaption.text(of: a.caption) == NormalizedCaption.text(of: b.caption)
  }
}
