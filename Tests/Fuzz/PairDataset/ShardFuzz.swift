import Foundation
import FuzzSupport
import PairDataset

private let shard = FuzzFile(".tar")

/// Any shard, with an index of any content beside it or none, ends in pairs or in a `ShardError`.
///
/// The input's first two bytes are the length of the index, behind its size of the shard and before
/// its checksum, which would stop every mutation; the rest is the shard. A plain tar's headers are
/// given their checksums for the same reason.
@main struct ShardReaderFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard bytes.count > 2 else { return }
    let indexLength = min(bytes.count - 2, Int(bytes[0]) | Int(bytes[1]) << 8)
    let tar = withChecksums(Array(bytes[(2 + indexLength)...]))
    if indexLength > 0 {
      ShardFuzz.index(indexHead(fileSize: tar.count) + bytes[2..<2 + indexLength], of: tar)
    }
    ShardFuzz.tar(tar)
    ShardFuzz.lz4(tar)
    shard.write(tar)
    do {
      let reader = try TarSampleReader(path: shard.path)
      while let sample = try reader.next() {
        if let picture = sample.picture { _ = try reader.data(of: picture) }
      }
    } catch {
      _ = error.description
    }
  }

  /// A tar whose headers have the sums of their bytes (POSIX.1-1988, ustar): six octal digits at 148.
  private static func withChecksums(_ tar: [UInt8]) -> [UInt8] {
    var tar = tar
    var place = 0
    while place + 512 <= tar.count, tar[place + 257..<place + 262].elementsEqual("ustar".utf8) {
      let blank = Array("        ".utf8)
      tar.replaceSubrange(place + 148..<place + 156, with: blank)
      let sum = tar[place..<place + 512].reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      let field = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
      tar.replaceSubrange(place + 148..<place + 156, with: Array(field.utf8))
      let size = Int(String(decoding: tar[place + 124..<place + 135], as: UTF8.self), radix: 8)
      guard let size, size >= 0, size < tar.count else { break }
      place += 512 + (size + 511) / 512 * 512
    }
    return tar
  }

  private static func seeds() throws -> [[UInt8]] {
    let folder = FileManager.default.temporaryDirectory.path + "/pairloom-fuzz-\(UUID())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var seeds: [[UInt8]] = []
    for compression in ShardCompression.allCases {
      let writer = try ShardWriter(folder: folder, name: "s", compression: compression)
      for key in ["a", String(repeating: "long", count: 40)] {
        try writer.append(
          Pair(key: key, caption: "c", image: [0xFF, 0xD8], metadata: Array("{}".utf8)))
      }
      _ = try writer.finish()
      let base = folder + "/s."
      let tar = try Data(contentsOf: URL(fileURLWithPath: base + compression.fileExtension))
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: base + "idx")))
      let body = whole.dropFirst(indexHead(fileSize: tar.count).count).dropLast(32)
      seeds.append([UInt8(body.count & 0xFF), UInt8(body.count >> 8)] + body + tar)
      seeds.append([0, 0] + tar)
    }
    try FileManager.default.removeItem(atPath: folder)
    return seeds
  }
}

/// The magic, the version and the size of the shard, as an index begins.
private func indexHead(fileSize: Int) -> [UInt8] {
  var head = Array("PLIX".utf8) + [1]
  var rest = fileSize
  while rest > 0x7F {
    head.append(UInt8(rest & 0x7F) | 0x80)
    rest >>= 7
  }
  return head + [UInt8(rest)]
}
