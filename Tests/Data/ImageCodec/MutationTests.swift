import Foundation
import ImageCodec
import Testing

/// Damaged files: every one ends in a picture of the declared size or in an ``ImageError``.
@Suite struct MutationTests {
  static let seed: UInt64 = 20_261_124
  static let perFile = 400

  @Test("no damaged file crashes a decoder or gives a picture of another size")
  func survives() throws {
    let limit = 4_000_000  // a damaged size field may ask for much: here only for 12 MB
    var random = Generator(state: Self.seed)
    var decoded = 0
    var refused = 0
    let pictures = try Fixtures.pictures()
    // A few thousand per format: 10 to 15 files of each but GIF, which has 4.
    for picture in pictures {
      let isGIF = picture.name.hasPrefix("gif")
      for number in 0..<(isGIF ? Self.perFile * 2 : Self.perFile) {
        let bytes = random.damaged(picture.encoded)
        do {
          let image = try ImageDecoder.decode(bytes, maxPixels: limit)
          let header = try ImageDecoder.header(of: bytes)
          #expect(
            image.width == header.width && image.height == header.height,
            "seed \(Self.seed), \(picture.name), mutation \(number)")
          decoded += 1
        } catch {
          refused += 1
        }
      }
    }
    // Both kinds occur in numbers, so the damage is neither too small nor too great.
    #expect(decoded > 1000 && refused > 1000, "\(decoded) decoded, \(refused) refused")
  }

  @Test("damaged encoder output never crashes a decoder", arguments: ["jpeg", "png", "webp"])
  func survivesOwn(format: String) throws {
    let image = TestPictures.gradient(width: 64, height: 48)
    let whole: [UInt8] =
      switch format {
      case "jpeg": try ImageEncoder.jpeg(image, quality: 90)
      case "png": try ImageEncoder.png(image)
      default: try ImageEncoder.webp(image, quality: 90)
      }
    var random = Generator(state: Self.seed)
    var refused = 0
    for _ in 0..<2000 {
      do { _ = try ImageDecoder.decode(random.damaged(whole), maxPixels: 4_000_000) } catch {
        #expect(!error.description.isEmpty)
        refused += 1
      }
    }
    #expect(refused > 200)
  }

  /// PAIRLOOM_DECODE_MUTATIONS sets how many files are damaged, PAIRLOOM_DECODE_SEED how.
  @Test("every path of decoding stands damaged files: profiles, EXIF, odd layouts")
  func survivesEverywhere() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["PAIRLOOM_DECODE_MUTATIONS"].flatMap { Int($0) } ?? 6_000
    let seed = environment["PAIRLOOM_DECODE_SEED"].flatMap { UInt64($0) } ?? Self.seed
    let files = try Fixtures.pictures().map(\.encoded) + Fixtures.decodeCases().map(\.encoded)
    var random = Generator(state: seed)
    var decoded = 0
    for number in 0..<count {
      decoded += DecodeFuzz.run(random.damaged(files[number % files.count]))
    }
    // Three ways of decoding each: damage must be neither too small nor too great.
    #expect(decoded > count / 2 && decoded < 3 * count, "seed \(seed): \(decoded) of \(3 * count)")
  }

  /// SplitMix64, so that a failure can be repeated.
  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// A copy with one of six kinds of damage.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
      var result = bytes
      switch below(6) {
      case 0:  // a few bits
        for _ in 0...below(4) { result[below(result.count)] ^= 1 << UInt8(below(8)) }
      case 1:  // a few bytes, near the start, where the headers are
        for _ in 0...below(4) {
          result[below(min(result.count, 200))] = UInt8(truncatingIfNeeded: next())
        }
      case 2:  // a stretch of one value
        let start = below(result.count)
        let value: UInt8 = [0, 0xFF, 0x7F, UInt8(truncatingIfNeeded: next())][below(4)]
        for index in start..<min(result.count, start + 1 + below(16)) { result[index] = value }
      case 3: result.removeLast(below(result.count))
      case 4:  // a stretch taken out
        let start = below(result.count)
        result.removeSubrange(start..<min(result.count, start + 1 + below(64)))
      default:  // a stretch from elsewhere put in
        let source = below(bytes.count)
        let part = bytes[source..<min(bytes.count, source + 1 + below(64))]
        result.insert(contentsOf: part, at: below(result.count))
      }
      return result
    }
  }
}
