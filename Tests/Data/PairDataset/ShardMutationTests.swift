import Compression
import DurableFiles
import Foundation
import PairDataset
import Testing

/// Shards and indexes with damage by chance: whatever comes, the reader returns.
@Suite struct ShardMutationTests {
  /// Per kind; PAIRLOOM_SHARD_MUTATIONS asks for more.
  static let count =
    ProcessInfo.processInfo.environment["PAIRLOOM_SHARD_MUTATIONS"].flatMap { Int($0) } ?? 3000

  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // The low bits of such a generator repeat soon.
      return state >> 32 | state << 32
    }
  }

  /// A small tar with all that a tar may hold.
  private static let tar: [UInt8] = {
    let long = String(repeating: "n", count: 130)
    var tar: [UInt8] = []
    for number in 0..<3 {
      tar += RawTar.member("\(number).jpg", Array(repeating: UInt8(number), count: 700))
      tar += RawTar.member("\(number).json", Array("{}".utf8)) + RawTar.member("\(number).txt")
    }
    tar +=
      RawTar.pax([("path", long + ".jpg"), ("size", "5")])
      + RawTar.member("short", [1, 2, 3, 4, 5])
    tar += RawTar.member("././@LongLink", Array((long + "l.jpg").utf8) + [0], flag: "L")
    tar += RawTar.member("l.jpg", [9]) + RawTar.member("dir/", flag: "5")
    return tar + RawTar.member("dir/x.cls", [1]) + RawTar.member("dir/x.png", [2]) + RawTar.end
  }()

  private static func mutate(_ bytes: [UInt8], _ random: inout Generator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let length = min(bytes.count - place, Int.random(in: 1...24, using: &random))
      switch Int.random(in: 0..<7, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = .random(in: 0...255, using: &random)
      case 2:
        let value = [0, 0x7F, 0x80, 0xFF, 0x37, 0x2E, 0x2F].randomElement(using: &random) ?? 0
        for index in place..<place + length { bytes[index] = UInt8(value) }
      case 3: bytes.removeSubrange(place..<place + length)
      case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
      case 5: bytes.removeLast(length)
      default:
        let from = Int.random(in: 0...bytes.count - length, using: &random)
        bytes.replaceSubrange(place..<place + length, with: Array(bytes[from..<from + length]))
      }
    }
    return bytes
  }

  /// The blocks of a tar that were headers, with their checksums right again: else every change of one
  /// would end there.
  private static func resealed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for start in stride(from: 0, to: bytes.count - 511, by: 512)
    where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
      bytes.replaceSubrange(
        start..<start + 512, with: RawTar.sealed(Array(bytes[start..<start + 512])))
    }
    return bytes
  }

  @Test("tars, plain and compressed, with and without right checksums", arguments: 0..<4)
  func shards(kind: Int) throws {
    var random = Generator(state: UInt64(kind) &+ 77)
    var taken = 0
    for _ in 0..<Self.count {
      let damaged = Self.mutate(Self.tar, &random)
      let result =
        switch kind {
        case 0: ShardFuzz.tar(damaged)
        case 1: ShardFuzz.tar(Self.resealed(damaged))
        // The damage is within the tar, then in the frame.
        case 2: ShardFuzz.lz4(LZ4Frame.compress(Self.resealed(damaged)))
        default: ShardFuzz.lz4(Self.mutate(LZ4Frame.compress(Self.tar), &random))
        }
      taken += result == nil ? 0 : 1
    }
    // Much is harmless in a tar, such as a picture's bytes; little passes the checksum of a frame.
    #expect(kind == 3 ? taken < Self.count / 2 : taken > 0 && taken < Self.count, "\(taken)")
  }

  @Test("gzip and zstd around it")
  func otherFrames() throws {
    var random = Generator(state: 5)
    let frames = [BlockCodec.gzip.compress(Self.tar), BlockCodec.zstd.compress(Self.tar)]
    for frame in frames { #expect(ShardFuzz.tar(frame) == 6) }
    for number in 0..<Self.count { ShardFuzz.tar(Self.mutate(frames[number % 2], &random)) }
  }

  @Test("indexes whose checksum is right", arguments: [false, true])
  func indexes(compressed: Bool) throws {
    var random = Generator(state: 9)
    let length = Self.tar.count - 1024
    let shard = compressed ? LZ4Frame.compress(Self.tar) : Self.tar
    // Three pairs of 3 headers, 700 and 2 bytes; then one with a pax header before it.
    let pair = 512 * 6
    let body = RawTar.indexBody(
      fileSize: shard.count, tarSize: Self.tar.count, frames: compressed ? [(0, 0)] : [],
      entries: [(0, pair, "0"), (0, pair, "1"), (0, pair, "2")])
    #expect(length > 3 * pair && ShardFuzz.index(body, of: shard) == 6)
    var taken = 0
    for _ in 0..<Self.count {
      if ShardFuzz.index(Self.mutate(body, &random), of: shard) != nil { taken += 1 }
    }
    #expect(taken > 0 && taken < Self.count, "\(taken)")
  }
}
