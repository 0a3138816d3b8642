import ImageCodec

/// Whether the decoders of this machine can decode a picture that is certainly whole.
///
/// A list may hold whatever its author likes, but no list can make this fail: where it does, the set-up is
/// at fault.
struct DecodeSelfTest: Sendable {
  var options: DecodeOptions

  /// A pixel of red (GIF89a with one colour table entry in use).
  private static let redGIF: [UInt8] = [
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0x2C, 0, 0, 0,
    0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
  ]
  /// The pixels of a usual photograph, 12 million, for which any limit should leave room.
  private static let large = (width: 4_000, height: 3_000)

  /// Tries every decoder.
  ///
  /// - Parameters:
  ///   - isLarge: Whether to try a picture of 12 megapixels too, if the options allow one.
  ///   - touch: Called with each file before it is decoded.
  /// - Returns: What does not work, in words; nil when all does.
  func problem(isLarge: Bool, _ touch: ([UInt8]) -> Void = { _ in }) -> String? {
    let picture = Self.gradient(width: 64, height: 48)
    do throws(ImageError) {
      let files = [
        ("JPEG", try ImageEncoder.jpeg(picture, quality: 95)),
        ("PNG", try ImageEncoder.png(picture)),
        ("WebP", try ImageEncoder.webp(picture, quality: 95)),
      ]
      for (name, file) in files {
        touch(file)
        guard Self.isLike(try ImageDecoder.decode(file), picture) else {
          return "a \(name) of our own making is decoded wrongly"
        }
      }
      touch(Self.redGIF)
      guard try ImageDecoder.decode(Self.redGIF).pixels == [255, 0, 0] else {
        return "a GIF is decoded wrongly"
      }
      _ = try PictureCodec(options: options).encoding.encode(picture)
      if isLarge, Self.large.width * Self.large.height <= options.maxPixels {
        let photo = Self.gradient(width: Self.large.width, height: Self.large.height)
        let file = try ImageEncoder.jpeg(photo, quality: 90)
        touch(file)
        _ = try ImageDecoder.decode(file)
      }
    } catch {
      return "a picture of our own making: \(error.description)"
    }
    return nil
  }

  private static func gradient(width: Int, height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 3)
    for y in 0..<height {
      let down = UInt8(y * 255 / height)
      for x in 0..<width {
        pixels.append(UInt8(x * 255 / width))
        pixels.append(down)
        pixels.append(128)
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// Within what JPEG and WebP at quality 95 lose of a smooth picture, and far from noise.
  private static func isLike(_ a: RGBImage, _ b: RGBImage) -> Bool {
    guard a.width == b.width, a.height == b.height else { return false }
    let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return sum <= 8 * a.pixels.count
  }
}
