import Compression
import Testing

/// Blocks whose unpacked size is known.
@Suite struct BlockCodecTests {
  @Test("what is packed unpacks to the same bytes", arguments: BlockCodec.allCases)
  func roundTrip(codec: BlockCodec) throws {
    for content in Samples.contents {
      let packed = codec.compress(content)
      #expect(try codec.decompress(packed[...], size: content.count) == content)
      #expect(codec.compress(content) == packed, "the same bytes each time")
      // A slice with indices of its own, as a page's bytes are.
      let inside = [0xAA, 0xBB] + packed + [0xCC]
      let slice = inside[2..<2 + packed.count]
      #expect(try codec.decompress(slice, size: content.count) == content)
    }
  }

  @Test("repeating bytes become few", arguments: BlockCodec.allCases)
  func packs(codec: BlockCodec) {
    let content = [UInt8](repeating: 7, count: 1 << 20)
    #expect(codec.compress(content).count < 64 << 10)
  }

  // Written by pyarrow 26.0.1: pa.compress(b"kitten " * 9, codec=…).
  @Test(
    "blocks of pyarrow unpack",
    arguments: [
      (BlockCodec.snappy, "3f186b697474656e20de0700"),
      (.gzip, "1f8b0800000000000203cbce2c2949cd53c82693020012ba8c4b3f000000"),
      (.zstd, "28b52ffd203f6d0000386b697474656e200100d5598c"),
      (.lz4Raw, "7f6b697474656e20070020507474656e20"),
    ])
  func foreign(codec: BlockCodec, hex: String) throws {
    let content = Array(String(repeating: "kitten ", count: 9).utf8)
    #expect(try codec.decompress(Samples.bytes(hex)[...], size: 63) == content)
  }

  @Test("another size than promised is an error", arguments: BlockCodec.allCases)
  func wrongSize(codec: BlockCodec) {
    let content = Samples.text(20_000)
    let packed = codec.compress(content)
    for size in [0, 1, 19_999, 20_001, 40_000] {
      #expect(throws: CompressionError.self, "size \(size)") {
        _ = try codec.decompress(packed[...], size: size)
      }
    }
  }

  @Test("a truncated block is an error, wherever it is cut", arguments: BlockCodec.allCases)
  func truncated(codec: BlockCodec) {
    let content = Samples.text(3_000)
    let packed = codec.compress(content)
    for end in 0..<packed.count {
      // LZ4's block format has no end of its own: a cut is known by the size alone.
      #expect(throws: CompressionError.self, "cut at \(end) of \(packed.count)") {
        _ = try codec.decompress(packed[..<end], size: content.count)
      }
    }
  }

  @Test(
    "a corrupt block gives bytes of the promised size or an error", arguments: BlockCodec.allCases)
  func corrupt(codec: BlockCodec) {
    let content = Samples.text(3_000)
    let packed = codec.compress(content)
    var refused = 0
    for place in packed.indices {
      var damaged = packed
      damaged[place] ^= 0x55
      do {
        #expect(try codec.decompress(damaged[...], size: content.count).count == content.count)
      } catch {
        #expect(!error.description.isEmpty)
        refused += 1
      }
    }
    // gzip has a checksum, and only its header has bytes of no effect.
    #expect(refused > (codec == .gzip ? packed.count - 12 : packed.count / 20), "\(refused)")
  }
}

/// Bytes to pack.
enum Samples {
  static var contents: [[UInt8]] {
    [
      [], [0], Array("kitten".utf8), [UInt8](repeating: 9, count: 100_000), noise(70_000),
      text(300_000),
    ]
  }

  /// Text that repeats here and there.
  static func text(_ count: Int) -> [UInt8] {
    var text: [UInt8] = []
    for number in 0... {
      text += Array("picture \(number * 7919 % 1000) of a kitten\n".utf8)
      if text.count >= count { break }
    }
    return Array(text.prefix(count))
  }

  /// Bytes that no codec makes fewer.
  static func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 20_261_124
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
    }
  }
}
