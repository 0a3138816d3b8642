import DurableFiles
import FaultServer
import ForeignRuns
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import ShardMaintenance
import Synchronization
import URLPipeline

/// A small web of pictures, and folders as img2dataset leaves them, written by the rules of its writer.py.
///
/// `/ok/N` is picture N; `/late/N` answers 503 and `/gone/N` 404 until ``heal()``, then picture N; all
/// else 404.
final class ImportWeb: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/import-" + UUID().uuidString
  let server: AnswerServer
  private let isHealed = Switch()

  final class Switch: Sendable { let state = Mutex(false) }

  init() throws {
    let isHealed = self.isHealed
    server = try AnswerServer { path in
      let parts = path.split(separator: "/").map(String.init)
      let number = Int(parts.last ?? "") ?? 0
      let isHealed = isHealed.state.withLock { $0 }
      return switch (parts.first, isHealed) {
      case ("ok", _), ("late", true), ("gone", true): .init(200, body: Self.picture(number))
      case ("late", false): .init(503)
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

  /// A row as img2dataset ends with it.
  struct Row {
    var path: String
    var caption: String?
    var status = "success"
    var message: String?
    /// What the tar holds; nil for no member.
    var picture: [UInt8]?
    /// The place in the shard, where it is not the row's.
    var place: Int?
    var width: Int? = 24

    static func ok(_ number: Int) -> Row {
      Row(path: "/ok/\(number)", caption: "caption \(number)", picture: ImportWeb.picture(number))
    }

    static func failed(
      _ path: String, _ message: String?, status: String = "failed_to_download"
    ) -> Row {
      Row(path: path, caption: "caption of \(path)", status: status, message: message, width: nil)
    }
  }

  /// What is written of a shard.
  struct Parts: OptionSet {
    let rawValue: Int
    static let tar = Parts(rawValue: 1)
    static let table = Parts(rawValue: 2)
    static let stats = Parts(rawValue: 4)
    static let all: Parts = [.tar, .table, .stats]
  }

  /// Writes a shard of number_sample_per_shard 10.
  func write(
    _ number: Int, _ rows: [Row], to name: String, _ parts: Parts = .all, digits: Int = 5,
    hasHash: Bool = true, counted: Int? = nil
  ) throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let shard = String(format: "%0\(digits)d", number)
    let lines = rows.enumerated().map { index, row in
      (row: row, meta: meta(row, key: shard + String(row.place ?? index), index, hasHash: hasHash))
    }
    if parts.contains(.tar) {
      let writer = try ShardWriter(folder: path, name: shard, compression: .none)
      for (row, meta) in lines {
        guard let picture = row.picture else { continue }
        try writer.append(
          Pair(
            key: meta["key"]?.text ?? "", caption: row.caption ?? "", image: picture,
            imageExtension: "png", metadata: Array(meta.serialized.utf8)))
      }
      _ = try writer.finish()
      try DurableFile.remove("\(path)/\(shard).idx")
    }
    if parts.contains(.table) {
      try PairTable.write(
        lines.map(\.meta),
        columns: [
          TableColumn("note", .text), TableColumn("weight", .double), TableColumn("caption", .text),
          TableColumn("url", .text), TableColumn("key", .text), TableColumn("status", .text),
          TableColumn("error_message", .text), TableColumn("width", .int32),
          TableColumn("height", .int32), TableColumn("original_width", .int32),
          TableColumn("original_height", .int32),
        ] + (hasHash ? [TableColumn("sha256", .text)] : []), to: "\(path)/\(shard).parquet")
    }
    guard parts.contains(.stats) else { return }
    func count(_ status: String) -> Int { rows.count { $0.status == status } }
    try DurableFile.write(
      """
      {"count": \(counted ?? rows.count), "successes": \(count("success")),
       "failed_to_download": \(count("failed_to_download")),
       "failed_to_resize": \(count("failed_to_resize")), "duration": 1.5,
       "start_time": 1700000000.25, "end_time": 1700000001.75, "status_dict": {}}
      """, to: "\(path)/\(shard)_stats.json")
  }

  private func meta(_ row: Row, key: String, _ index: Int, hasHash: Bool) -> JSONValue {
    func size(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    let digest: JSONValue =
      row.picture.map { picture in
        .string(HashedPicture.sha256(picture))
      } ?? .null
    return .object(
      [
        .init("note", .string("note \(index)")), .init("weight", .number("0.5")),
        .init("caption", row.caption.map { .string($0) } ?? .null),
        .init("url", .string(row.path.hasPrefix("/") ? server.url(row.path) : row.path)),
        .init("key", .string(key)), .init("status", .string(row.status)),
        .init("error_message", row.message.map { .string($0) } ?? .null),
        .init("width", size(row.width)), .init("height", size(row.width)),
        .init("original_width", size(row.width)), .init("original_height", size(row.width)),
      ] + (hasHash ? [.init("sha256", digest)] : []))
  }

  /// Imports the folder `source` into `name`.
  @discardableResult
  func load(
    _ source: String, into name: String, _ settings: [String] = [], copies: Bool = false,
    withoutStats: Bool = false
  ) async throws -> ImportOutcome {
    try await RunImporter.importImg2dataset(
      "\(folder)/\(source)", to: "\(folder)/\(name)",
      options: ImportOptions(
        settings: [
          "allow_addresses=127.0.0.0/8", "download.attempts=1",
        ] + settings, copies: copies, withoutStats: withoutStats))
  }

  func verify(_ name: String) async throws -> VerificationReport {
    try await RunVerifier.verify(RunFolder("\(folder)/\(name)"), threads: 2)
  }

  @discardableResult
  func retry(
    _ name: String, where expression: String = PipelineRun.usualRetry
  ) async throws -> RunOutcome {
    let path = "\(folder)/\(name)"
    return try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: path), folder: path, workers: 1
    ).retry(where: expression)
  }

  /// Key and picture of every pair that the dataset lists, in order.
  func pairs(_ name: String) throws -> [Pair] {
    let root = "\(folder)/\(name)"
    var pairs: [Pair] = []
    for shard in try DatasetManifest.read(root + "/dataset.json").shards {
      try ShardReader(path: "\(root)/\(shard.file)").forEach { pairs.append($0) }
    }
    return pairs
  }

  /// The files of a folder by name.
  func files(_ name: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for file in try DurableFile.names(in: "\(folder)/\(name)") {
      files[file] = try DurableFile.read("\(folder)/\(name)/\(file)")
    }
    return files
  }
}
