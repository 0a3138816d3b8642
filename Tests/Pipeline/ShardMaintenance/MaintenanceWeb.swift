import DurableFiles
import FaultServer
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import Synchronization
import URLPipeline

/// A small web of pictures, a run of them, and copies of it to damage.
///
/// `/ok/N` is picture N; `/same/N` has the bytes of picture 0; `/gone/N` answers 404; `/late/N` 503
/// until ``heal()``, and `/once/N` a picture until then; `/moved/N` redirects to `/target/N`.
final class MaintenanceWeb: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/maintain-" + UUID().uuidString
  let server: AnswerServer
  private let isHealed = Switch()

  final class Switch: Sendable {
    let state = Mutex(false)
  }

  init() throws {
    let isHealed = self.isHealed
    server = try AnswerServer { path in
      let parts = path.split(separator: "/").map(String.init)
      let number = Int(parts.last ?? "") ?? 0
      return switch parts.first {
      case "ok", "target": .init(200, body: Self.picture(number))
      case "same": .init(200, body: Self.picture(0))
      case "moved": .init(302, headers: ["Location: /target/\(number)"])
      case "once":
        isHealed.state.withLock { $0 } ? .init(404) : .init(200, body: Self.picture(number))
      case "late":
        isHealed.state.withLock { $0 } ? .init(200, body: Self.picture(number)) : .init(503)
      default: .init(404)
      }
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func heal() { isHealed.state.withLock { $0 = true } }

  /// A picture of one colour; no two numbers have the same bytes.
  static func picture(_ number: Int) -> [UInt8] {
    let colour = [UInt8(truncatingIfNeeded: number &* 37), UInt8(number >> 8), 90]
    let image = RGBImage(
      width: 24, height: 24,
      pixels: (0..<576).flatMap { place in place == number % 576 ? [255, 255, 255] : colour })
    return (try? ImageEncoder.png(image)) ?? []  // a picture of 576 pixels can be encoded
  }

  /// Twenty-five rows in three chunks.
  static let paths: [String] =
    (0..<9).map { "/ok/\($0)" } + ["/gone/9"] + (10..<16).map { "/ok/\($0)" }
    + ["/same/16", "/ok/3", "/late/18", "/moved/19"] + (20..<25).map { "/ok/\($0)" }

  /// Runs the list into the folder `name`.
  @discardableResult
  func run(
    _ name: String, paths: [String] = MaintenanceWeb.paths, _ options: [String] = [],
    scorer: (any PairScorer)? = nil
  ) async throws -> RunOutcome {
    let list = "\(folder)/\(name).csv"
    let rows = paths.enumerated().map { row, path in
      "\(path.hasPrefix("/") ? server.url(path) : path),caption \(row),note \(row)\n"
    }
    try DurableFile.write("url,caption,note\n" + rows.joined(), to: list)
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: [
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=10", "image_size=16",
        "download.attempts=1", "download.backoff_base=0.01",
      ] + options)
    return try await PipelineRun(
      recipe: recipe, folder: "\(folder)/\(name)", workers: 1, scorer: scorer
    ).run()
  }

  /// Works off jobs that were handed back.
  @discardableResult
  func resume(_ name: String, scorer: (any PairScorer)? = nil) async throws -> RunOutcome {
    let path = "\(folder)/\(name)"
    return try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: path), folder: path, workers: 1, scorer: scorer
    ).resume()
  }

  /// Copies a run, but for what it knows of origins: that file's thread may still be closing it.
  func copy(_ name: String, to new: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: "\(folder)/\(new)", withIntermediateDirectories: false)
    for entry in try files.contentsOfDirectory(atPath: "\(folder)/\(name)")
    where !entry.hasPrefix("origins") {
      try files.copyItem(atPath: "\(folder)/\(name)/\(entry)", toPath: "\(folder)/\(new)/\(entry)")
    }
  }

  /// Every file of a run but the ledger's, its record and those of the crawl, by name.
  func files(_ name: String) throws -> [String: [UInt8]] {
    let root = "\(folder)/\(name)"
    var files: [String: [UInt8]] = [:]
    for part in [
      "", "chunks", "fetched", "decoded", "deduplicated", "shards", "scores/toy", "filtered",
      "filtered/verdicts",
    ] {
      for file in try DurableFile.names(in: part.isEmpty ? root : "\(root)/\(part)")
      where file.contains(".") && !file.hasPrefix("ledger") && !file.hasPrefix("origins")
        && !file.hasPrefix("rates") && !file.hasPrefix("hosts") && file != "run.json"
      {
        files[part.isEmpty ? file : "\(part)/\(file)"] = try DurableFile.read(
          part.isEmpty ? "\(root)/\(file)" : "\(root)/\(part)/\(file)")
      }
    }
    return files
  }

  /// The rows that the dataset holds, by their captions, in order.
  func rows(_ name: String) throws -> [Int] {
    let root = "\(folder)/\(name)"
    var rows: [Int] = []
    for shard in try DatasetManifest.read(root + "/dataset.json").shards {
      try ShardReader(path: "\(root)/\(shard.file)").forEach { pair in
        rows.append(Int(pair.caption.split(separator: " ")[1]) ?? -1)
      }
    }
    return rows
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
