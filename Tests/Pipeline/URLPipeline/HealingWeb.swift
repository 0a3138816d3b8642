import DurableFiles
import FaultServer
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import Synchronization
import URLPipeline

/// A small web of pictures, some of which come only after it was healed, and a list of them.
///
/// | path | before | after |
/// |---|---|---|
/// | `/ok/N` | picture N | the same |
/// | `/heal/N` | 503 | picture N |
/// | `/once/N` | 404 | picture N |
/// | `/page/N` | 200 with words | picture N |
/// | `/refused/N` | picture N with `X-Robots-Tag: noai` | the same without |
/// | `/never/N` | 503 | 503 |
final class HealingWeb: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/heal-" + UUID().uuidString
  let server: AnswerServer
  private let isHealed = Flag()

  init() throws {
    let isHealed = self.isHealed
    server = try AnswerServer { path in
      let parts = path.split(separator: "/").map(String.init)
      let number = Int(parts.last ?? "") ?? 0
      func picture(_ headers: [String] = []) -> AnswerServer.Answer {
        .init(
          200,
          headers: [
            "Content-Type: image/jpeg", "ETag: \"e\"",
            "Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT",
          ] + headers, body: Self.picture(number))
      }
      return switch (parts.first, isHealed.value) {
      case ("ok", _), ("heal", true), ("once", true), ("page", true), ("refused", true): picture()
      case ("heal", false), ("never", _): .init(503)
      case ("page", false): .init(200, body: Array("words, and no picture".utf8))
      case ("refused", false): picture(["X-Robots-Tag: noai"])
      default: .init(404)
      }
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func heal() { isHealed.value = true }

  /// A picture of one colour; no two numbers have the same bytes.
  static func picture(_ number: Int) -> [UInt8] {
    let colour = [UInt8(truncatingIfNeeded: number &* 37), UInt8(number >> 8), 90]
    let image = RGBImage(
      width: 24, height: 24,
      pixels: (0..<576).flatMap { place in place == number % 576 ? [255, 255, 255] : colour })
    return (try? ImageEncoder.png(image)) ?? []  // a picture of 576 pixels can be encoded
  }

  /// Writes a list of URLs, each with a caption of its own.
  func list(_ paths: [String], name: String = "list") throws -> String {
    let path = "\(folder)/\(name).csv"
    let rows = paths.enumerated().map { row, path in
      "\(path.hasPrefix("/") ? server.url(path) : path),caption \(row)\n"
    }
    try DurableFile.write("url,caption\n" + rows.joined(), to: path)
    return path
  }

  static func options(_ list: String) -> [String] {
    [
      "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=10", "image_size=16",
      "download.attempts=1", "download.backoff_base=0.01",
    ]
  }

  func run(
    _ list: String, into name: String, workers: Int = 1, _ options: [String] = [],
    scorer: (any PairScorer)? = nil
  ) throws -> PipelineRun {
    let recipe = try PipelineRecipe(
      yaml: "", path: "test", overrides: Self.options(list) + options)
    return try PipelineRun(
      recipe: recipe, folder: folder + "/" + name, workers: workers, scorer: scorer)
  }

  /// A run of the folder as `retry` makes it: from the ledger's notes.
  func again(
    _ name: String, workers: Int = 1, scorer: (any PairScorer)? = nil
  ) async throws -> PipelineRun {
    let path = folder + "/" + name
    return try PipelineRun(
      recipe: try await PipelineRun.recipe(of: path), folder: path, workers: workers,
      scorer: scorer)
  }

  /// The published files of a run by name: shards, tables, scores, filtered shards.
  ///
  /// Not the list of all shards' sizes, which grows with them as `dataset.json` does.
  func published(_ name: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for part in ["chunks", "decoded", "deduplicated", "shards", "scores/toy", "filtered"] {
      let path = "\(folder)/\(name)/\(part)"
      guard DurableFile.exists(path) else { continue }
      for file in try DurableFile.names(in: path) where file.contains(".") && file != "sizes.json" {
        files["\(part)/\(file)"] = try DurableFile.read("\(path)/\(file)")
      }
    }
    return files
  }

  /// The row of every pair that the dataset lists, by the caption.
  func keptRows(_ name: String) throws -> [Int] {
    let root = folder + "/" + name
    var rows: [Int] = []
    for shard in try DatasetManifest.read(root + "/dataset.json").shards {
      try ShardReader(path: root + "/" + shard.file).forEach { pair in
        rows.append(Int(pair.caption.split(separator: " ")[1]) ?? -1)
      }
    }
    return rows
  }
}

/// A switch that two threads share.
final class Flag: Sendable {
  private let state = Mutex(false)
  var value: Bool {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// Scores a pair by its caption's number: 0.00 to 0.99.
struct ToyScorer: PairScorer {
  let name = "toy"
  let provenance = ["weights": "none"]

  func scores(of pairs: [Pair]) async throws -> [Float] {
    pairs.map { pair in Float(Int(pair.caption.split(separator: " ")[1]) ?? 0) / 100 }
  }
}
