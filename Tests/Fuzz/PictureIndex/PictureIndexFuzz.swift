import Foundation
import FuzzSupport
import PerceptualHash
import PictureIndex
import SegmentFile

private let file = FuzzFile(".index")

/// Any index file, and any segment in a sound one, ends in entries or in a typed error.
///
/// The input's first byte says which: even, and the rest is the file; odd, and the rest is a segment's
/// bytes behind its batches, one byte each, since the checksums would stop every mutation.
@main struct PictureIndexFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard bytes.count > 3 else { return }
    file.remove()
    do {
      if bytes[0] % 2 == 0 {
        file.write(bytes.dropFirst())
      } else {
        let batches = Int(bytes[1])...Int(bytes[1]) + Int(bytes[2])
        try SegmentFile(file.path, magic: PictureIndex.magic, isWritable: true)
          .append([.init(kind: 1, batches: batches, bytes: Array(bytes.dropFirst(3)))])
      }
      try use(PictureIndex(file.path, isWritable: true))
    } catch let error as SegmentFileError {
      _ = error.description
    } catch let error as PictureIndexError {
      _ = error.description
    } catch {
      fatalError("\(error)")
    }
  }

  private static func use(_ index: PictureIndex) throws {
    var keys: [UInt64] = [0]
    var digests = [Name128(high: 0, low: 0)]
    index.forEach { _, entry in
      if let key = entry.signature?.key, keys.count < 20 { keys.append(key) }
      if let digest = entry.digest, digests.count < 20 { digests.append(digest) }
    }
    _ = index.matches(of: keys, radius: 6, threads: 1)
    _ = index.entries(withDigests: digests)
    var isSound = true
    do { try index.verify() } catch is PictureIndexError { isSound = false }
    let last = index.lastBatch ?? -1
    try index.append(
      [PictureEntry(uid: Name128(high: 1, low: 2), row: 3, digest: nil, signature: nil)],
      batch: last + 1)
    _ = try index.rewind(to: last)
    try index.compact()
    if isSound { try index.verify() }
  }

  private static func seeds() throws -> [[UInt8]] {
    let path = FileManager.default.temporaryDirectory.path + "/pairloom-seed-\(UUID())"
    var seeds: [[UInt8]] = []
    let index = try PictureIndex(path, isWritable: true)
    for batch in 0..<3 {
      let entries = (0..<batch * 3).map { row in
        PictureEntry(
          uid: Name128(high: 1, low: UInt64(row)), row: row,
          digest: row % 2 == 0 ? Name128(high: UInt64(row) << 60, low: 1) : nil,
          signature: PictureSignature(
            bytes: [UInt8](repeating: UInt8(row), count: PictureSignature.byteCount)))
      }
      try index.append(entries, batch: batch)
      seeds.append([0] + [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
    }
    try index.compact()
    let bytes = try SegmentFile(path, magic: PictureIndex.magic, isWritable: false).segments[0]
      .bytes
    seeds.append([1, 0, 2] + bytes)
    try FileManager.default.removeItem(atPath: path)
    return seeds
  }
}
