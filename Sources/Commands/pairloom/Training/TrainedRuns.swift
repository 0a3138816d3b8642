import DurableFiles
import Foundation

/// The training runs that a data set knows of: `trained.jsonl` beside its `dataset.json`.
enum TrainedRuns {
  private struct Line: Codable {
    /// Absolute.
    var folder: String
  }

  /// The folders, in the order in which they were entered; none where there is no list.
  ///
  /// Lines that are none are passed over: the list is a help, not a record.
  static func folders(of dataset: String) throws -> [String] {
    let path = dataset + "/trained.jsonl"
    guard DurableFile.exists(path) else { return [] }
    return try DurableFile.read(path).split(separator: UInt8(ascii: "\n")).compactMap {
      try? JSONDecoder().decode(Line.self, from: Data($0)).folder
    }
  }

  /// Enters a run, unless it is there.
  ///
  /// - Throws: `FileError`; a folder that may not be written is no reason not to train.
  static func enter(_ folder: String, in dataset: String) throws {
    let folder = absolute(folder)
    guard try !folders(of: dataset).contains(folder) else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let path = dataset + "/trained.jsonl"
    let before = DurableFile.exists(path) ? try DurableFile.read(path) : []
    let end: [UInt8] = before.isEmpty || before.last == UInt8(ascii: "\n") ? [] : [10]
    try DurableFile.write(before + end + encoder.encode(Line(folder: folder)) + [10], to: path)
  }

  static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}
