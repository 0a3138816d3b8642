import DurableFiles
import FaultServer
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import SeededRandom
import Synchronization
import URLPipeline

/// A web of pictures in several qualities and sizes, and runs over lists of them.
///
/// `/scene/N/Q` is picture N as a JPEG of quality Q, `/large/N/Q` the same at twice the size, and
/// `/late/N/Q` answers 503 until ``heal()``.
final class DuplicateWeb: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/duplicates-" + UUID().uuidString
  let server: AnswerServer
  private let isHealed = Switch()

  private final class Switch: Sendable {
    let state = Mutex(false)
  }

  init() throws {
    let isHealed = self.isHealed
    server = try AnswerServer { path in
      let parts = path.split(separator: "/").map(String.init)
      guard parts.count == 3, let number = Int(parts[1]), let quality = Int(parts[2]) else {
        return .init(404)
      }
      if parts[0] == "late" && !isHealed.state.withLock({ $0 }) { return .init(503) }
      let image = Self.scene(number, side: parts[0] == "large" ? 128 : 64)
      return .init(200, body: (try? ImageEncoder.jpeg(image, quality: quality)) ?? [])
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func heal() { isHealed.state.withLock { $0 = true } }

  /// Soft blobs of colour; no two numbers look alike, and a size changes nothing of it.
  static func scene(_ number: Int, side: Int) -> RGBImage {
    var random = RandomStream(seed: 23, path: UInt64(number))
    let blobs = (0..<12).map { _ in
      (
        x: random.uniform(), y: random.uniform(), size: random.uniform(in: 0.05..<0.3),
        colour: (0..<3).map { _ in random.uniform(in: -200..<200) }
      )
    }
    var pixels: [UInt8] = []
    for place in 0..<side * side {
      let x = Double(place % side) / Double(side)
      let y = Double(place / side) / Double(side)
      var sums = [128.0, 128.0, 128.0]
      for blob in blobs {
        let (dx, dy) = (x - blob.x, y - blob.y)
        let weight = exp(-(dx * dx + dy * dy) / (2 * blob.size * blob.size))
        for channel in 0..<3 { sums[channel] += weight * blob.colour[channel] }
      }
      pixels += sums.map { UInt8(max(0, min(255, $0))) }
    }
    return RGBImage(width: side, height: side, pixels: pixels)
  }

  /// Each row's path and caption.
  typealias Row = (path: String, caption: String)

  func pipeline(
    _ name: String, _ rows: [Row], workers: Int = 1, _ options: [String] = []
  ) throws -> PipelineRun {
    let list = "\(folder)/\(name).csv"
    let lines = rows.enumerated().map { row, entry in
      "\(server.url(entry.path)),\(entry.caption),\(row % 4)\n"
    }
    // A resumed run's list stays.
    if !DurableFile.exists(list) {
      try DurableFile.write("url,caption,rating\n" + lines.joined(), to: list)
    }
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: [
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=6", "image_size=32",
        "download.attempts=1", "download.backoff_base=0.01",
      ] + options)
    return try PipelineRun(recipe: recipe, folder: "\(folder)/\(name)", workers: workers)
  }

  @discardableResult
  func run(
    _ name: String, _ rows: [Row], workers: Int = 1, _ options: [String] = []
  ) async throws -> RunOutcome {
    try await pipeline(name, rows, workers: workers, options).run()
  }

  func runFolder(_ name: String) -> RunFolder { RunFolder("\(folder)/\(name)") }

  /// The files that a user takes, and the verdicts, by name.
  func files(_ name: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for part in ["shards", "deduplicated", "filtered"] {
      for file in try DurableFile.names(in: "\(folder)/\(name)/\(part)") where file.contains(".") {
        files["\(part)/\(file)"] = try DurableFile.read("\(folder)/\(name)/\(part)/\(file)")
      }
    }
    return files
  }

  /// The verdict on each row.
  func verdicts(_ name: String) throws -> [Int: Verdict] {
    var found: [Int: Verdict] = [:]
    let folder = runFolder(name)
    for file in try DurableFile.names(in: folder.verdicts).sorted() {
      for verdict in try PairTable.read("\(folder.verdicts)/\(file)", as: Verdict.init) {
        found[verdict.row] = verdict
      }
    }
    return found
  }

  /// The rows that the shards hold, by their tables, in order.
  func kept(_ name: String) throws -> [Int] {
    let folder = runFolder(name)
    return try DatasetManifest.read(folder.dataset).shards.flatMap { shard in
      let table = shard.file.prefix { $0 != "." } + ".parquet"
      return try PairTable.read("\(folder.path)/\(table)")
        .filter { $0["status"]?.text == "success" }.compactMap { $0["row"]?.integer }
    }
  }
}
