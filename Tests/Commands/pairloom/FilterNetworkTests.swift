import CLIPTraining
import Foundation
import PairDataset
import PipelineCore
import SceneWorld
import Testing

/// A data filtering network from no weights at all: trained on trusted pairs, it filters others.
@Suite(.serialized) struct FilterNetworkTests {
  @Test("a network trained on trusted scenes drops the wrong captions of a list it never saw")
  func scenes() throws {
    let folder = try TemporaryFolder()
    let trusted = try world("trusted", rows: 1_000, seed: 21, in: folder.path) { $0.isMatched }
    var run = try Program.run(
      scenes(folder.path + "/clean", trusted.list, "model=null", "filter.top_fraction=null"))
    #expect(run.status == 0, "\(run.error)")
    let network = folder.path + "/network"
    run = try Program.run(
      ["train", "scenes", "--folder", network]
        + [
          "data=\(folder.path)/clean/dataset.json", "ranks=1", "steps=120",
          "optimizer.warmup_steps=12",
        ].flatMap { ["--set", $0] })
    #expect(run.status == 0, "\(run.error)")

    let dirty = try world("dirty", rows: 800, seed: 22, in: folder.path) { _ in true }
    let out = folder.path + "/filtered"
    run = try Program.run(
      scenes(out, dirty.list, "filter.top_fraction=0.85") + ["--model", network])
    #expect(run.status == 0, "\(run.error)")

    let pairs = try judged(out, dirty.rows)
    let wrong = pairs.filter { !$0.isMatched }
    try #require(wrong.count > 50)
    let auc = try #require(
      AreaUnderROC.value(scores: pairs.map(\.score), positives: pairs.map(\.isMatched)))
    // Scores that know nothing have AUC 1/2 with a standard error of √((m + n + 1) / 12mn) (Mann and
    // Whitney), 0.03 here: eight of them are no luck. A network of one step has 0.47.
    let (m, n) = (Double(pairs.count - wrong.count), Double(wrong.count))
    #expect(auc > 0.5 + 8 * ((m + n + 1) / (12 * m * n)).squareRoot(), "AUC \(auc)")
    // Dropping at random would find 15 % of the wrong ones; three times as many is eight standard
    // deviations away for 100 of them (√(0.15 · 0.85 / 100) = 0.036).
    let found = wrong.count { !$0.isKept }
    #expect(Double(found) > 0.45 * n, "\(found) of \(wrong.count) found")
    #expect(pairs.count { $0.isKept } == Int((0.85 * Double(pairs.count)).rounded(.up)))
  }

  private struct Row: Decodable {
    var url: String
    var caption: String
    var isMatched: Bool
    private enum CodingKeys: String, CodingKey {
      case url, caption
      case isMatched = "caption_match"
    }
  }

  private struct World {
    var list: String
    var rows: [Row]
    /// Serves as long as it is held.
    var origin: DemoOrigin
  }

  /// Serves a world of scenes and lists those of its rows that are wanted.
  private func world(
    _ name: String, rows: Int, seed: Int, in folder: String, _ isWanted: (Row) -> Bool
  ) throws -> World {
    let root = "\(folder)/\(name)"
    let origin = try DemoOrigin(rows: rows, seed: seed, folder: root)
    let wanted = try String(contentsOfFile: origin.truth, encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }.filter(isWanted)
    // No caption of a scene holds a comma or a quote.
    let list = (["url,caption"] + wanted.map { "\($0.url),\($0.caption)" }).joined(separator: "\n")
    try list.write(toFile: root + "/wanted.csv", atomically: true, encoding: .utf8)
    return World(list: root + "/wanted.csv", rows: wanted, origin: origin)
  }

  private func scenes(_ folder: String, _ list: String, _ settings: String...) -> [String] {
    ["run", "scenes", "--folder", folder]
      + (["input=\(list)"] + settings).flatMap { ["--set", $0] }
  }

  private struct Judged {
    var score: Float
    var isMatched: Bool
    var isKept: Bool
  }

  /// The pairs that a run scored, with what it made of them and the truth.
  private func judged(_ run: String, _ rows: [Row]) throws -> [Judged] {
    func lines(_ folder: String) throws -> [JSONValue] {
      try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".parquet") }.flatMap { try PairTable.read("\(folder)/\($0)") }
    }
    var rowOfKey: [String: Int] = [:]
    for line in try lines(run + "/shards") where line["reason"] == nil {
      let key = try #require(line["key"]?.text)
      rowOfKey[key] = line["row"]?.integer
    }
    return try lines(run + "/filtered/verdicts").map { line in
      let key = try #require(line["key"]?.text)
      let row = try #require(rowOfKey[key])
      return Judged(
        score: Float(try #require(line["score"]?.double)), isMatched: rows[row].isMatched,
        isKept: line["drop"] == nil)
    }
  }
}
