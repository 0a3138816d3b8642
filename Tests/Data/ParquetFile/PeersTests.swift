import Foundation
import ParquetFile
import TestTools
import Testing

/// pyarrow's files read here, and files from here read by pyarrow.
@Suite(.peers("pyarrow"))
struct PeersTests {
  struct Expected: Decodable {
    var options: String
    var columns: [String: [Spelling.Value]]
  }

  /// How many files; PAIRLOOM_PARQUET_FILES makes it more.
  static let fileCount =
    ProcessInfo.processInfo.environment["PAIRLOOM_PARQUET_FILES"].flatMap { Int($0) } ?? 48

  @Test("what pyarrow writes is read, over types, encodings, codecs, nulls and page versions")
  func readsPyarrow() async throws {
    try await ScratchFolder.use { folder in
      let seed = 20_261_124
      _ = try await Peers.peer(["generate", folder, "\(seed)", "\(Self.fileCount)"])
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        .filter { $0.hasSuffix(".parquet") }
      #expect(names.count == Self.fileCount)
      for (number, name) in names.enumerated() {
        let path = folder + "/" + name
        let json = URL(fileURLWithPath: path.replacing(".parquet", with: ".json"))
        let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: json))
        let file = "seed \(seed), \(name), \(expected.options)"
        do {
          let reader = try ParquetReader(path: path)
          #expect(reader.unsupportedColumns.isEmpty)
          let read = try Spelling.read(reader, rowsPerBatch: [1, 13, 100, 5_000][number % 4])
          Spelling.compare(read, expected.columns, file)
        } catch {
          Issue.record("\(file): \(error)")
        }
      }
    }
  }
}
