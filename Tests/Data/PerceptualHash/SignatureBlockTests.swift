import Foundation
import ImageCodec
import PerceptualHash
import Testing

/// Many against many says what one against one does, and the bound rules out no copy.
@Suite struct SignatureBlockTests {
  /// All with one key, so that the thumbnails decide.
  private static func keyed(_ signature: PictureSignature) throws -> PictureSignature {
    try #require(
      PictureSignature(
        bytes: [UInt8](repeating: 0, count: 9) + signature.bytes[9...]))
  }

  private static func random(_ seed: UInt64) -> () -> UInt64 {
    var state = seed
    return {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) >> 16
    }
  }

  /// Bytes of chance; ranges of little contrast; white with clipped colours; each and, after it, one a
  /// few codes away.
  private static func made(_ count: Int) throws -> [PictureSignature] {
    let next = random(41)
    var all: [PictureSignature] = []
    for number in 0..<count {
      var bytes = (0..<PictureSignature.byteCount).map { _ in UInt8(truncatingIfNeeded: next()) }
      switch number % 4 {
      case 1: (bytes[9], bytes[10]) = (UInt8(next() % 200), 8 + UInt8(next() % 40))
      case 2:
        (bytes[9], bytes[10]) = (40, 215)
        for place in 20..<90 { bytes[place] = 255 }
      default: break
      }
      bytes[8] = 0
      let signature = try #require(PictureSignature(bytes: bytes))
      for _ in 0..<3 { bytes[11 + Int(next() % 90)] ^= UInt8(1 << (next() % 3)) }
      bytes[9] = UInt8(max(0, min(255, Int(bytes[9]) + Int(next() % 21) - 10)))
      all += [signature, try #require(PictureSignature(bytes: bytes))]
    }
    return all
  }

  /// Drawings, their copies brighter, darker, encoded anew and cropped, and pages that differ in words alone.
  private static func drawn() throws -> [PictureSignature] {
    var images: [RGBImage] = []
    let next = random(43)
    for number in 0..<6 {
      let (x0, y0) = (Double(next() % 100) / 100, Double(next() % 100) / 100)
      func scene(_ zoom: Double, _ shift: Double) -> RGBImage {
        PictureSignatureTests.picture(96, 96) { x, y in
          let (x, y) = ((x - 0.5) * zoom + 0.5 + shift, (y - 0.5) * zoom + 0.5)
          if abs(x - x0) < 0.2, abs(y - y0) < 0.15 { return (UInt8(40 * number), 200, 90) }
          return y < 0.3 ? (200, 190, 90) : (250, 250, 250)
        }
      }
      let original = scene(1, 0)
      images.append(original)
      for factor in [0.75, 0.9, 1.1, 1.3] {
        images.append(PictureSignatureTests.brighter(original, factor))
      }
      for (zoom, shift) in [(0.97, 0.0), (1, 0.02), (0.94, -0.01)] {
        images.append(scene(zoom, shift))
      }
      images.append(try ImageDecoder.decode(try ImageEncoder.jpeg(original, quality: 60)))
    }
    for _ in 0..<12 {
      let words = (0..<960).map { _ in next() % 100 < 45 }
      images.append(
        PictureSignatureTests.picture(256, 256) { x, y in
          let isLine = (y * 24).truncatingRemainder(dividingBy: 1) < 0.4
          let isDark = isLine && words[Int(y * 24) * 40 + Int(x * 40)] && Int(x * 256) % 3 != 0
          return isDark ? (30, 30, 30) : (255, 255, 255)
        })
    }
    return images.map { PictureSignature(of: $0) }
  }

  private struct Same: Hashable {
    var place: Int
    var other: Int
    var distance: Int
    var difference: Int
  }

  private static func naive(_ all: [PictureSignature], radius: Int) -> Set<Same> {
    var same: Set<Same> = []
    for (place, one) in all.enumerated() {
      for (other, two) in all.enumerated()
      where one.isFlat == two.isFlat && one.isEven == two.isEven {
        let (distance, difference) = (one.distance(to: two), one.difference(from: two))
        guard distance <= radius, difference <= PictureSignature.usualDifference else { continue }
        same.insert(
          Same(place: place, other: other, distance: distance, difference: difference))
      }
    }
    return same
  }

  private static func blocked(
    _ all: [PictureSignature], radius: Int, isComparedOften: Bool
  ) -> (same: Set<Same>, compared: Int) {
    let size = SignatureBlock.most
    let starts = stride(from: 0, to: all.count, by: size)
    let blocks = starts.map {
      SignatureBlock(
        Array(all[$0..<min($0 + size, all.count)]), isComparedOften: isComparedOften)
    }
    var same: Set<Same> = []
    var compared = 0
    for (first, block) in blocks.enumerated() {
      for (second, other) in blocks.enumerated() {
        compared += block.forEachSame(as: other, radius: radius) {
          place, otherPlace, distance, difference in
          same.insert(
            Same(
              place: first * size + place, other: second * size + otherPlace, distance: distance,
              difference: difference))
        }
      }
    }
    return (same, compared)
  }

  @Test("blocks find the pairs that looking at each finds, to the bit, ruled out before or not")
  func equalKeys() throws {
    for all in [try Self.made(60), try Self.drawn()] {
      let all = try all.map(Self.keyed)
      let expected = Self.naive(all, radius: 6)
      try #require(expected.count > all.count, "copies, beside each picture itself")
      for isComparedOften in [false, true] {
        let found = Self.blocked(all, radius: 6, isComparedOften: isComparedOften)
        #expect(found.same == expected, "compared often: \(isComparedOften)")
        if isComparedOften {
          #expect(found.compared < all.count * all.count, "the bound rules something out")
        }
      }
    }
  }

  @Test(
    "keys, flat pictures and what the caller does not want are left out", arguments: [0, 6, 12])
  func otherKeys(radius: Int) throws {
    let all =
      try Self.drawn() + [
        PictureSignatureTests.even(255, 255, 255), PictureSignatureTests.even(0, 0, 0),
      ]
    #expect(
      Self.blocked(all, radius: radius, isComparedOften: true).same
        == Self.naive(all, radius: radius))
    let block = SignatureBlock([all[0], all[0]], isComparedOften: true)
    var places: [[Int]] = []
    block.forEachSame(as: block, radius: radius, where: { $0 < $1 }) { place, other, _, _ in
      places.append([place, other])
    }
    #expect(places == [[0, 1]])
  }

  @Test("of pictures of chance the bound leaves hardly one to compare")
  func strangers() throws {
    let next = Self.random(47)
    let all = try (0..<64).map { _ in
      var bytes = (0..<PictureSignature.byteCount).map { _ in UInt8(truncatingIfNeeded: next()) }
      bytes.replaceSubrange(8...10, with: [0, 20, 200])
      return try Self.keyed(try #require(PictureSignature(bytes: bytes)))
    }
    // Each with itself, and one other in a hundred pairs.
    #expect(
      Self.blocked(all, radius: 6, isComparedOften: true).compared
        <= all.count + all.count * all.count / 100)
  }
}
