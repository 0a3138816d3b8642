import DecodeStage
import Deduplication
import DurableFiles
import PairDataset
import PerceptualHash
import PipelineCore
import WorkerProcesses

/// Looks at the pictures of shards, in their order, and keeps what it has seen: a table for each batch of
/// 1,000 pairs, durable before the next begins.
///
/// Memory: the pictures of a batch, up to 128 MiB at a time.
struct ShardExamination {
  /// Pairs of a batch.
  static let batchRows = 1_000
  /// Bytes of pictures that are held at a time.
  private static let mostBytes = 128 << 20

  let shards: [String]
  let folder: WorkFolder
  let options: ShardDeduplicationOptions

  /// Looks at what was not looked at before.
  ///
  /// - Parameter onProgress: Told the pairs that were looked at so far.
  /// - Returns: How many pairs there are.
  /// - Throws: What is wrong with a shard, what the disk refuses, a worker that cannot start.
  func run(_ onProgress: (Int) throws -> Void) throws -> Int {
    if let known = try folder.pairCount() { return known }
    let first = try folder.examinedBatches() * Self.batchRows
    var batch = Batch(
      number: first / Self.batchRows, folder: folder, threads: options.threads,
      examiner: PictureExaminer(worker: options.worker),
      isByColumn: options.rules.bestColumn != nil)
    var row = 0
    for (number, path) in shards.enumerated() {
      let reader = try ShardReader(path: path)
      if row + reader.count <= first {
        row += reader.count
        continue
      }
      try reader.forEach { pair in
        defer { row += 1 }
        guard row >= first else { return }
        try batch.add(
          ExaminedPair(pair, row: row, shard: number, bestColumn: options.rules.bestColumn),
          pair.image, most: Self.mostBytes)
        try onProgress(row + 1)
      }
    }
    try batch.finish()
    guard row > 0 else { throw ShardDeduplicationError.noPairs }
    try folder.complete(pairs: row)
    return row
  }

  /// Pairs that are not in a table yet.
  private struct Batch {
    var number: Int
    let folder: WorkFolder
    let threads: Int
    let examiner: PictureExaminer
    /// Whether the quality is a number of the JSON, and the picture's size none.
    let isByColumn: Bool
    var pairs: [ExaminedPair] = []
    /// The pictures of the last ones, which were not looked at yet.
    var bodies: [[UInt8]] = []
    var bytes = 0

    mutating func add(_ pair: ExaminedPair, _ body: [UInt8], most: Int) throws {
      pairs.append(pair)
      bodies.append(body)
      bytes += body.count
      if bytes >= most { try examine() }
      if pairs.count == ShardExamination.batchRows { try publish() }
    }

    mutating func finish() throws { if !pairs.isEmpty { try publish() } }

    private mutating func examine() throws {
      let seen = try examiner.examine(bodies, threads: threads) { false }
      let start = pairs.count - bodies.count
      for (place, result) in seen.enumerated() {
        switch result {
        case .success(let picture):
          pairs[start + place].signature = picture.signature
          if pairs[start + place].quality == 0 && !isByColumn {
            pairs[start + place].quality = Double(picture.width) * Double(picture.height)
          }
        case .failure(let refusal): pairs[start + place].fault = refusal.drop
        }
      }
      bodies = []
      bytes = 0
    }

    private mutating func publish() throws {
      try examine()
      try PairTable.write(
        pairs.map(\.json), columns: ExaminedPair.columns, to: folder.examinedTable(number))
      number += 1
      pairs = []
    }

  }
}
