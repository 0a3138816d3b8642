import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import SeededRandom

/// Shards with duplicates whose number is known.
struct DuplicateWorld {
  /// What a pair's picture is.
  enum Kind: Equatable {
    case new
    /// The bytes of an earlier pair.
    case bytes(of: Int)
    /// Another encoding of an earlier pair's picture.
    case encoding(of: Int)
    /// Cut in its header.
    case cut
  }

  let folder = FileManager.default.temporaryDirectory.path + "/dedup-" + UUID().uuidString
  let kinds: [Kind]
  /// How foreign the shards are: img2dataset's keys and members, or Pairloom's own.
  let isForeign: Bool
  private let seed: UInt64

  /// - Parameters:
  ///   - count: Pairs, of which about a third are duplicates.
  ///   - seed: Decides on all.
  ///   - isForeign: Whether img2dataset has made the shards.
  /// - Throws: What the disk refuses.
  init(_ count: Int, seed: UInt64, isForeign: Bool = false) throws {
    self.seed = seed
    self.isForeign = isForeign
    var random = RandomStream(seed: seed)
    var originals: [Int] = []
    kinds = (0..<count).map { row in
      let draw = random.uniform()
      if row < 3 || draw < 0.62 {
        originals.append(row)
        return .new
      }
      let original = originals[random.integer(below: originals.count)]
      if draw < 0.78 { return .bytes(of: original) }
      return draw < 0.95 ? .encoding(of: original) : .cut
    }
    try DurableFile.makeFolder(folder)
  }

  func remove() throws { try FileManager.default.removeItem(atPath: folder) }

  /// Blocks of colour in 8 rows of 8, each its own: no two pictures are near each other.
  ///
  /// Blocks of 12 pixels, so that JPEG's halved colours run over their edges, and encodings differ.
  func picture(_ row: Int, quality: Int = 92) throws -> [UInt8] {
    var random = RandomStream(seed: seed, path: UInt64(row))
    let colours = (0..<64).map { _ in (0..<3).map { _ in UInt8(random.integer(below: 256)) } }
    let side = 96
    var pixels: [UInt8] = []
    for y in 0..<side { for x in 0..<side { pixels += colours[y / 12 * 8 + x / 12] } }
    return try ImageEncoder.jpeg(
      RGBImage(width: side, height: side, pixels: pixels), quality: quality)
  }

  func body(_ row: Int) throws -> [UInt8] {
    switch kinds[row] {
    case .new: try picture(row)
    case .bytes(let original): try picture(original)
    // What follows the end of a JPEG is passed over: no two encodings have the same bytes.
    case .encoding(let original):
      try picture(original, quality: 70 + row % 15) + Array("\(row)".utf8)
    // The headers alone are the same for all.
    case .cut: Array(try picture(row).prefix(200)) + Array("\(row)".utf8)
    }
  }

  func sample(_ row: Int) throws -> ShardSample {
    let key = isForeign ? String(format: "%09d", row) : String(format: "k%x", row)
    let url = "http://a.test/\(row).jpg"
    let json = "{\"url\": \"\(url)\", \"caption\": \"caption \(row)\", \"key\": \"\(key)\"}"
    // img2dataset's order is that of its dictionary; Pairloom's is picture, JSON, text.
    var members = [
      ShardSample.Member(suffix: "jpg", data: try body(row)),
      ShardSample.Member(suffix: "json", data: Array(json.utf8)),
      ShardSample.Member(suffix: "txt", data: Array("caption \(row)".utf8)),
    ]
    if isForeign { members.swapAt(1, 2) }
    return ShardSample(key: key, members: members)
  }

  /// The shards, of so many pairs each.
  func shards(of size: Int) throws -> [String] {
    let place = folder + "/source"
    try DurableFile.makeFolder(place)
    return try stride(from: 0, to: kinds.count, by: size).enumerated().map { number, start in
      let writer = try ShardWriter(
        folder: place, name: String(format: "%05d", number),
        compression: isForeign || number % 2 == 1 ? .none : .lz4)
      for row in start..<min(start + size, kinds.count) { try writer.append(try sample(row)) }
      let path = "\(place)/\(try writer.finish().file)"
      // A foreign shard has no index of ours.
      if isForeign { try DurableFile.remove("\(place)/\(String(format: "%05d", number)).idx") }
      return path
    }
  }

  /// The rows that stay where only equal bytes count.
  var keptByBytes: [Int] {
    kinds.indices.filter {
      if case .bytes = kinds[$0] { return false }
      return true
    }
  }
}

/// Every file below a folder: path → bytes.
func files(_ folder: String) throws -> [String: [UInt8]] {
  var found: [String: [UInt8]] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
    let path = "\(folder)/\(name)"
    if !DurableFile.isFolder(path) { found[name] = try DurableFile.read(path) }
  }
  return found
}

/// The samples of a folder's shards, as its manifest lists them.
func samples(_ out: String) throws -> [ShardSample] {
  var found: [ShardSample] = []
  for shard in try DatasetManifest.read(out + "/dataset.json").shards {
    try ShardReader(path: "\(out)/\(shard.file)").forEachSample { found.append($0) }
  }
  return found
}
