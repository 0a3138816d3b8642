import CLIPTraining
import DurableFiles
import PairDataset
import PipelineCore
import SceneWorld

/// What the pipeline made of the demo's world, held against the truth that it never saw.
struct DemoFindings {
  /// A pair that was scored.
  struct ScoredPair {
    var row: Int
    var key: String
    var caption: String
    var score: Float
    var isMatched: Bool
    var isKept: Bool
  }

  var scored: [ScoredPair] = []
  /// The lowest score that was kept.
  var threshold: Float = 0
  /// Area under the ROC curve of the score against the known mismatches.
  var auc: Double
  /// Rows dropped before scoring, by reason, with what the table says of them.
  var dropped: [String: [(caption: String, note: String)]] = [:]
  /// Rows whose fate is not the one that the world meant, in words.
  var surprises: [String] = []
  private let folder: RunFolder

  /// Reads the tables of a finished run.
  init(run: String, world: DemoWorld) throws {
    folder = RunFolder(run)
    var rowOfKey: [String: Int] = [:]
    for name in try DurableFile.names(in: folder.shards) where name.hasSuffix(".parquet") {
      for line in try PairTable.read(folder.shards + "/" + name) {
        let row = line["row"]?.integer ?? -1
        let fate = line["reason"]?.text
        if fate == nil, let key = line["key"]?.text { rowOfKey[key] = row }
        if let fate {
          dropped[fate, default: []].append(
            (line["caption"]?.text ?? "", line["error_message"]?.text ?? ""))
        }
        let expected = world.rows[row].fault.expected
        if !expected.agrees(with: fate) {
          surprises.append("row \(row): \(fate ?? "kept"), meant as \(expected.rawValue)")
        }
      }
    }
    let verdicts = folder.scores(of: BundledScorer.name)
    for name in try DurableFile.names(in: verdicts) where name.hasSuffix(".parquet") {
      guard let chunk = Int(name.dropLast(".parquet".count)) else { continue }
      for line in try PairTable.read(folder.filterTable(chunk)) {
        guard let key = line["key"]?.text, let row = rowOfKey[key],
          let score = line["score"]?.double
        else { continue }
        scored.append(
          ScoredPair(
            row: row, key: key, caption: world.rows[row].caption, score: Float(score),
            isMatched: world.rows[row].isMatched, isKept: Drop(line) == nil))
      }
    }
    threshold = scored.filter(\.isKept).map(\.score).min() ?? 0
    guard
      let auc = AreaUnderROC.value(
        scores: scored.map(\.score), positives: scored.map(\.isMatched))
    else {
      throw CommandError("\(run): no scored pairs of both kinds; remove the folder and rerun")
    }
    self.auc = auc
  }

  /// The pictures of some scored pairs, by key.
  func pictures(of keys: Set<String>) throws -> [String: [UInt8]] {
    var pictures: [String: [UInt8]] = [:]
    for name in try DurableFile.names(in: folder.shards)
    where name.hasSuffix(".tar") || name.hasSuffix(".tar.lz4") {
      let shard = try ShardReader(path: folder.shards + "/" + name)
      for (index, key) in shard.keys.enumerated() where keys.contains(key) {
        pictures[key] = try shard.pair(at: index).image
      }
    }
    return pictures
  }
}

extension DemoFate {
  /// Whether the pipeline's reason (nil when the pair came through to its shard) is the one meant.
  func agrees(with reason: String?) -> Bool {
    switch self {
    case .pair, .pairAfterRetry: reason == nil
    case .httpStatus: reason == DropReason.httpStatus.rawValue
    case .incomplete: reason == DropReason.incomplete.rawValue
    case .undecodable:
      [DropReason.truncated, .corrupt, .empty, .notAnImage, .unsupportedFormat].map(\.rawValue)
        .contains(reason ?? "")
    case .duplicateBytes: reason == DropReason.duplicateBytes.rawValue
    case .duplicateURL: reason == DropReason.duplicateURL.rawValue
    }
  }
}
