import Foundation
import ImageCodec
import PerceptualHash
import Testing

/// What pictures look like in 127 bytes, and how far they are apart.
@Suite struct PictureSignatureTests {
  /// A drawing with edges at several scales and many colours.
  static func drawing(_ width: Int = 320, _ height: Int = 240, spot: Bool = false) -> RGBImage {
    picture(width, height) { x, y in
      if spot, abs(x - 0.7) < 0.05, abs(y - 0.3) < 0.06 { return (250, 240, 30) }
      if (x - 0.3) * (x - 0.3) + (y - 0.4) * (y - 0.4) < 0.05 { return (200, 40, 60) }
      if x + y > 1.2, y > 0.55 { return (30, 90, 160) }
      return (UInt8(150 + 80 * x), UInt8(120 + 60 * y), 110)
    }
  }

  static func picture(
    _ width: Int, _ height: Int, _ colour: (Double, Double) -> (UInt8, UInt8, UInt8)
  ) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let (red, green, blue) = colour(
          (Double(x) + 0.5) / Double(width), (Double(y) + 0.5) / Double(height))
        pixels += [red, green, blue]
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  static func even(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> PictureSignature {
    PictureSignature(of: picture(90, 70) { _, _ in (red, green, blue) })
  }

  static func brighter(_ image: RGBImage, _ factor: Double) -> RGBImage {
    RGBImage(
      width: image.width, height: image.height,
      pixels: image.pixels.map { UInt8(min(255, (Double($0) * factor).rounded())) })
  }

  @Test("a faint drawing is not the picture of one colour that stands for one that is gone")
  func faint() throws {
    let white = PictureSignature(of: Self.picture(1, 1) { _, _ in (255, 255, 255) })
    #expect(white.isEven && Self.even(255, 255, 255).isEven && Self.even(128, 20, 77).isEven)
    #expect(white.isSamePicture(as: Self.even(255, 255, 255), radius: 6))
    #expect(!white.isSamePicture(as: Self.even(255, 200, 255), radius: 6))
    let encoded = try ImageDecoder.decode(
      ImageEncoder.jpeg(Self.picture(90, 70) { _, _ in (254, 255, 253) }, quality: 60))
    #expect(PictureSignature(of: encoded).isEven)
    // Thin grey outlines on white.
    let faint = PictureSignature(
      of: Self.picture(288, 96) { x, y in
        let ring = abs(((x * 5).truncatingRemainder(dividingBy: 1) - 0.5).magnitude - 0.3)
        return ring < 0.02 && abs(y - 0.5) < 0.3 ? (225, 225, 225) : (255, 255, 255)
      })
    #expect(!faint.isEven && !PictureSignature(of: Self.drawing()).isEven)
    #expect(!faint.isSamePicture(as: white, radius: 64))
    #expect(!white.isSamePicture(as: faint, radius: 64))
  }

  @Test("bytes and text come back as they were; others are refused")
  func forms() throws {
    let signature = PictureSignature(of: Self.drawing())
    #expect(signature.bytes.count == PictureSignature.byteCount)
    #expect(PictureSignature.byteCount <= 128)
    #expect(PictureSignature(bytes: signature.bytes) == signature)
    #expect(PictureSignature(text: signature.text) == signature)
    #expect(PictureSignature(bytes: Array(signature.bytes.dropLast())) == nil)
    #expect(PictureSignature(bytes: signature.bytes + [0]) == nil)
    var strange = signature.bytes
    strange[8] = 2
    #expect(PictureSignature(bytes: strange) == nil)
    #expect(PictureSignature(text: signature.text.uppercased()) == nil)
    #expect(PictureSignature(text: String(signature.text.dropLast()) + "g") == nil)
    #expect(PictureSignature(text: "") == nil)
  }

  @Test("any bytes of the right count can be compared")
  func foreignBytes() throws {
    var random = SystemRandomNumberGenerator()
    let own = PictureSignature(of: Self.drawing())
    for fill in [UInt8(0), 255] + (0..<50).map({ _ in UInt8.random(in: 0...255, using: &random) }) {
      var bytes = (0..<PictureSignature.byteCount).map { _ in
        fill == 0 || fill == 255 ? fill : UInt8.random(in: 0...255, using: &random)
      }
      bytes[8] = fill & 1
      let other = try #require(PictureSignature(bytes: bytes))
      #expect(own.difference(from: other) == other.difference(from: own), "\(bytes)")
      #expect(own.difference(from: other) >= 0 && other.difference(from: other) == 0)
    }
  }

  @Test("the key is the pHash of a picture that has something in it")
  func key() {
    let image = Self.drawing()
    let (signature, hash) = PictureSignature.withHash(of: image)
    #expect(hash == PerceptualHash(of: image))
    #expect(signature == PictureSignature(of: image))
    #expect(!signature.isFlat && signature.key == hash.bits)
  }

  @Test("sizes, compression and brightness leave a picture what it is", arguments: [0.8, 1, 1.2])
  func copies(factor: Double) throws {
    let original = PictureSignature(of: Self.drawing(400, 300))
    for (width, height) in [(400, 300), (200, 150), (133, 100), (640, 480)] {
      let image = Self.brighter(Self.drawing(width, height), factor)
      let decoded = try ImageDecoder.decode(try ImageEncoder.jpeg(image, quality: 60))
      let copy = PictureSignature(of: decoded)
      #expect(
        original.isSamePicture(as: copy, radius: 8),
        "\(width)x\(height): \(original.distance(to: copy)), \(original.difference(from: copy))")
      #expect(copy.isSamePicture(as: original, radius: 8))
    }
  }

  @Test("a spot of another colour makes another picture, though its pHash stays near")
  func spot() {
    let plain = PictureSignature(of: Self.drawing())
    let other = PictureSignature(of: Self.drawing(spot: true))
    #expect(plain.distance(to: other) <= 10)
    #expect(plain.difference(from: other) > PictureSignature.usualDifference)
    #expect(!plain.isSamePicture(as: other, radius: 64))
  }

  @Test("the same shapes in other colours are another picture")
  func colours() {
    func shapes(_ colour: (UInt8, UInt8, UInt8)) -> PictureSignature {
      PictureSignature(
        of: Self.picture(200, 200) { x, y in
          (x - 0.45) * (x - 0.45) + (y - 0.4) * (y - 0.4) < 0.08 ? colour : (255, 255, 255)
        })
    }
    // Of one brightness: 0.299 R + 0.587 G + 0.114 B.
    let (red, green) = (shapes((200, 60, 60)), shapes((60, 131, 60)))
    #expect(red.distance(to: green) <= 6)
    #expect(!red.isSamePicture(as: green, radius: 6))
  }

  @Test("pictures of one colour are flat, and are one picture only where the colours agree")
  func even() {
    let grey = Self.even(120, 120, 120)
    #expect(grey.isFlat && Self.even(255, 255, 255).isFlat && Self.even(0, 0, 0).isFlat)
    #expect(grey.isSamePicture(as: Self.even(121, 119, 120), radius: 6))
    for other in [
      Self.even(160, 160, 160), Self.even(90, 90, 90), Self.even(140, 110, 100),
      Self.even(255, 255, 255), Self.even(0, 0, 0),
    ] {
      #expect(!grey.isSamePicture(as: other, radius: 64), "\(grey.difference(from: other))")
    }
    // A key's bits count the degrees between two colours.
    let black = Self.even(0, 0, 0)
    let distances = [60, 120, 180, 255].map { black.distance(to: Self.even(UInt8($0), 0, 0)) }
    #expect(distances == distances.sorted() && distances[0] < distances[3])
    #expect(black.distance(to: Self.even(255, 255, 255)) == 15)
  }

  @Test("thin lines on white are flat, and other lines are another picture")
  func lines() {
    func page(_ rows: [Double]) -> PictureSignature {
      PictureSignature(
        of: Self.picture(300, 300) { x, y in
          rows.contains { abs(y - $0) < 0.004 } && x > 0.1 && x < 0.9
            ? (40, 40, 40) : (255, 255, 255)
        })
    }
    let (one, other) = (page([0.2, 0.3]), page([0.6, 0.8]))
    #expect(one.isSamePicture(as: page([0.2, 0.3]), radius: 0))
    #expect(!one.isSamePicture(as: other, radius: 64), "\(one.difference(from: other))")
  }

  @Test("a flat and another picture are never one")
  func mixed() {
    let flat = Self.even(150, 130, 110)
    #expect(!flat.isSamePicture(as: PictureSignature(of: Self.drawing()), radius: 64))
  }

  @Test("pictures of any size have a signature", arguments: [(1, 1), (1, 500), (700, 2), (3, 3)])
  func sizes(width: Int, height: Int) {
    let image = RGBImage(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 57) })
    let signature = PictureSignature(of: image)
    #expect(signature.difference(from: signature) == 0)
    #expect(signature == PictureSignature(of: image))
  }
}
