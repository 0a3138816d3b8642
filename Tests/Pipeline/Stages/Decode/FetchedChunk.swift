import ContentHashing
import DecodeStage
import DurableFiles
import Foundation
import PipelineCore
import WorkerProcesses

/// A run's folder with one chunk as the download stage leaves it.
struct FetchedChunk {
  let folder = RunFolder(NSTemporaryDirectory() + "pairloom-decode-\(UUID().uuidString)")

  /// One body per row, and the list's other columns where there are some.
  init(_ bodies: [[UInt8]], columns: [[JSONValue.Member]] = []) throws {
    try folder.make()
    var offset = 0
    let rows = bodies.enumerated().map { row, body in
      defer { offset += body.count }
      return FetchedRow(
        row: row, attempt: 1, status: 200, record: [], drop: nil,
        bytes: ByteRange(offset: offset, length: body.count), sha256: ContentHash.sha256Hex(body)
      ).json
    }
    try PairTable.write(
      rows, columns: FetchedRow.columns, to: folder.fetchedTable(0, attempt: 1))
    try DurableFile.write(Array(bodies.joined()), to: folder.fetchedBytes(0, attempt: 1))
    guard !columns.isEmpty else { return }
    try JSONLines.write(
      columns.enumerated().map { row, columns in
        PairCandidate(
          row: row, uid: "\(row)", url: "http://a.test/\(row)", caption: "", columns: columns
        ).json
      }, to: folder.chunkTable(0))
    let names = Set(columns.joined().map(\.key)).sorted()
    let carried = names.map {
      JSONValue.object([.init("name", .string($0)), .init("type", .string("string"))])
    }
    try DurableFile.write(JSONValue.array(carried).serialized + "\n", to: folder.chunkColumns)
  }

  /// Runs a stage over the chunk.
  func decode(_ stage: DecodeStage) async throws -> (report: StageReport, rows: [DecodedRow]) {
    let report = try await stage.run(
      Chunk(number: 0, attempt: 1),
      in: StageContext(
        folder: folder,
        report: { _, _ in StageReport(input: 0, kept: 0, facts: [StageReport.attemptFact: 1]) }
      ) { _ in [] })
    return (report, try PairTable.read(folder.decodedTable(0), as: DecodedRow.init))
  }

  func decode(_ options: DecodeOptions) async throws -> (report: StageReport, rows: [DecodedRow]) {
    try await decode(DecodeStage(options: options, threads: 2))
  }

  /// The bytes of both files that a stage publishes.
  func published() throws -> [[UInt8]] {
    try [folder.decodedBytes(0), folder.decodedTable(0)].map { try DurableFile.read($0) }
  }

  /// What was kept of a row.
  func kept(_ row: DecodedRow) throws -> [UInt8] {
    guard let bytes = row.bytes else { return [] }
    return try DurableFile.read(folder.decodedBytes(0), count: bytes.length, at: bytes.offset)
  }

  func remove() throws { try FileManager.default.removeItem(atPath: folder.path) }
}

/// The decoding process that misbehaves when a body asks for it; it stands beside the test bundle.
enum FaultyDecoder {
  ///
  /// - Parameters:
  ///   - always: What it does at every body.
  ///   - mark: A file that it makes when it hangs.
  /// - Returns: How it is started.
  static func command(always: String? = nil, mark: String? = nil) -> WorkerCommand {
    let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("FaultyDecoder").path
    return WorkerCommand(
      executable: path, arguments: always.map { [$0] } ?? [],
      environment: mark.map { ["PAIRLOOM_FAULT_MARK": $0] } ?? [:])
  }
}

/// Options as a recipe with these settings has them.
func decodeOptions(_ settings: String...) throws -> DecodeOptions { try decodeOptions(settings) }

func decodeOptions(_ settings: [String]) throws -> DecodeOptions {
  var reader = try RecipeReader(yaml: "{}", path: "test", overrides: settings)
  let options = try DecodeOptions(from: &reader)
  try reader.finish()
  return options
}
