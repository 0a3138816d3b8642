import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import SeededRandom

/// Shards of pairs with captions, sizes and scores in their JSON, all known.
struct FilterWorld {
  let folder: String
  var shards: [String] = []
  var pairs: [(uid: String, key: String, caption: String, width: Int, score: Double?)] = []
  /// Where the scores are, joined by uid, key or URL.
  var scores: String { folder + "/scores.parquet" }

  init(_ count: Int, perShard: Int = 40, seed: UInt64 = 1) throws {
    folder = FileManager.default.temporaryDirectory.path + "/filtering-" + UUID().uuidString
    try DurableFile.makeFolder(folder + "/in")
    var random = RandomStream(seed: seed)
    for start in stride(from: 0, to: count, by: perShard) {
      let name = RunFolder.digits(start / perShard)
      let writer = try ShardWriter(folder: folder + "/in", name: name, compression: .none)
      for number in start..<min(count, start + perShard) {
        let uid = PairIdentity.uid(of: Array("pair \(number)".utf8))
        let caption = ["a cat", "two red cats on a sofa", "photo", "the old house by the sea"][
          random.integer(below: 4)]
        let width = 100 + random.integer(below: 400)
        let score = random.integer(below: 10) == 0 ? nil : Double(random.integer(below: 50)) / 50
        try writer.append(
          Pair(
            key: "k\(number)", caption: caption, image: Array("picture \(number)".utf8),
            metadata: Array(
              #"{"uid":"\#(uid)","url":"http://a.org/\#(number)","original_width":\#(width),"original_height":250}"#
                .utf8)))
        pairs.append((uid, "k\(number)", caption, width, score))
      }
      shards.append("\(folder)/in/\(try writer.finish().file)")
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Writes the scores in another order than the pairs', without rows for those that have none.
  func writeScores(by name: String) throws {
    let rows = pairs.reversed().compactMap { pair in
      pair.score.map { score in
        JSONValue.object([
          .init(
            name,
            .string(
              // A URL in other letters is the same one.
              ["uid": pair.uid, "url": "HTTP://A.org:80/\(pair.key.dropFirst())"][name] ?? pair.key)
          ),
          .init("score", .number("\(score)")),
        ])
      }
    }
    try PairTable.write(
      rows, columns: [TableColumn(name, .text), TableColumn("score", .double)], to: scores)
  }

  /// The same facts as a table of metadata.
  func writeMetadata(to path: String) throws {
    let rows = pairs.map { pair in
      JSONValue.object(
        [
          .init("uid", .string(pair.uid)), .init("text", .string(pair.caption)),
          .init("original_width", .int(pair.width)), .init("original_height", .int(250)),
        ] + (pair.score.map { [.init("clip_l14_similarity_score", .number("\($0)"))] } ?? []))
    }
    try PairTable.write(
      rows,
      columns: [
        TableColumn("uid", .text), TableColumn("text", .text), TableColumn("original_width", .int),
        TableColumn("original_height", .int), TableColumn("clip_l14_similarity_score", .double),
      ], to: path)
  }
}

/// The bytes of all files in a folder, by name.
func files(of folder: String) throws -> [String: [UInt8]] {
  try Dictionary(
    uniqueKeysWithValues: DurableFile.names(in: folder).map {
      ($0, try DurableFile.read("\(folder)/\($0)"))
    })
}
