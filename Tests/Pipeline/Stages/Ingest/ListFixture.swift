import Foundation
import IngestStage
import PipelineCore
import Testing

/// A run's folder of its own with lists beside it.
struct ListFixture {
  let path = FileManager.default.temporaryDirectory.path + "/ingest-" + UUID().uuidString
  var folder: RunFolder { RunFolder(path + "/run") }

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try folder.make()
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  struct Ingested {
    var report: StageReport
    var rows: [PairCandidate]
    var rejects: [JSONValue]
  }

  /// Writes a file beside the run's folder and gives its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = path + "/" + name
    if name.contains("/") {
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    }
    // Not Data.write(to:), which waits for the disk.
    let stream = try #require(fopen(file, "w"))
    defer { fclose(stream) }
    #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
    return file
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  func ingest(_ options: IngestOptions, mostDistinct: Int? = nil) async throws -> Ingested {
    let stage =
      mostDistinct.map { IngestStage(options: options, fanOutBits: 1, mostDistinct: $0) }
      ?? IngestStage(options: options)
    let context = StageContext(folder: folder) { _ in [] }
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    var rows: [PairCandidate] = []
    for chunk in 0..<(report.facts["chunks"] ?? 0) {
      rows += try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    }
    return Ingested(report: report, rows: rows, rejects: try PairTable.read(folder.rejects))
  }

  func ingest(
    _ bytes: [UInt8], name: String, chunkRows: Int = 1_000, url: String? = nil,
    caption: String? = nil, limit: Int? = nil, hash: String? = nil, format: ListFormat? = nil
  ) async throws -> Ingested {
    try await ingest(
      IngestOptions(
        input: try write(bytes, to: name), urlColumn: url, captionColumn: caption,
        chunkRows: chunkRows, limit: limit, format: format, hashColumn: hash))
  }

  func ingest(
    _ text: String, name: String, chunkRows: Int = 1_000, url: String? = nil,
    caption: String? = nil, hash: String? = nil
  ) async throws -> Ingested {
    try await ingest(
      Array(text.utf8), name: name, chunkRows: chunkRows, url: url, caption: caption, hash: hash)
  }

  /// The table of carried columns as `name:type`.
  func columns() throws -> [String] {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.chunkColumns))
    guard case .array(let columns) = try JSONValue.parse([UInt8](bytes)) else { return [] }
    return columns.map { "\($0["name"]?.text ?? "?"):\($0["type"]?.text ?? "?")" }
  }
}

/// Runs a program with bytes on its standard input and gives its output.
func piped(_ arguments: [String], _ bytes: [UInt8]) throws -> [UInt8] {
  let name = FileManager.default.temporaryDirectory.path + "/piped-" + UUID().uuidString
  defer { try? FileManager.default.removeItem(atPath: name) }
  try Data(bytes).write(to: URL(fileURLWithPath: name))
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let output = Pipe()
  process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: name))
  process.standardOutput = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw PipeError(arguments: arguments) }
  return [UInt8](data)
}

struct PipeError: Error { var arguments: [String] }

/// What gzip(1) and zstd(1), the references, make of bytes.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] { try piped(["gzip", "-n", "-c"], bytes) }
func zstandard(_ bytes: [UInt8]) throws -> [UInt8] { try piped(["zstd", "-q", "-c"], bytes) }
