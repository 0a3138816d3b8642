import Deduplication
import DurableFiles
import PipelineCore

/// What the indexes held after some of the last chunks, and by which tables: the file `state.json`.
///
/// The tables of verdicts are the truth. The indexes count as far as a mark fits both them and the tables
/// that there are; else they are made again.
struct IndexMarks: Equatable {
  struct Mark: Equatable {
    /// The chunks up to this one are in the indexes.
    var chunk: Int
    /// Pairs in them.
    var count: Int
    /// `PictureIndex.contentHash`.
    var hash: String
    /// ``TableStamps`` of the tables of verdicts up to the chunk.
    var stamps: String
  }

  /// The newest last.
  private(set) var marks: [Mark] = []
  /// What the indexes are made by.
  private let rules: String
  /// A job that was killed, or is done again, goes back by a chunk or a few.
  private static let most = 8

  init(_ folder: String, _ rules: DuplicateRules) throws {
    self.rules =
      "\(rules.scope.rawValue) \(rules.captionLimit != nil)"
      + " \(rules.captionSimilarity.map { "\($0)" } ?? "-")"
    let path = Self.path(folder)
    guard DurableFile.exists(path),
      // A damaged file tells nothing, and the indexes are made again.
      let json = try? JSONValue.parse(try DurableFile.read(path)),
      json["rules"]?.text == self.rules, case .array(let rows) = json["marks"]
    else { return }
    marks = rows.compactMap { row in
      guard let chunk = row["chunk"]?.integer, let count = row["count"]?.integer,
        let hash = row["hash"]?.text, let stamps = row["stamps"]?.text
      else { return nil }
      return Mark(chunk: chunk, count: count, hash: hash, stamps: stamps)
    }
  }

  /// The newest mark before `chunk` whose tables are those of now, by the stamps up to each chunk.
  func last(before chunk: Int, _ stamps: [String]) -> Mark? {
    marks.last {
      $0.chunk < chunk && stamps.indices.contains($0.chunk) && stamps[$0.chunk] == $0.stamps
    }
  }

  /// Forgets what the indexes held after a chunk, as they do not hold it any more; nil for all.
  mutating func goBack(to chunk: Int?) { marks.removeAll { $0.chunk > chunk ?? -1 } }

  mutating func add(_ mark: Mark) {
    marks.removeAll { $0.chunk >= mark.chunk }
    marks = (marks + [mark]).suffix(Self.most)
  }

  func write(to folder: String) throws {
    let json = JSONValue.object([
      .init("rules", .string(rules)),
      .init(
        "marks",
        .array(
          marks.map { mark in
            .object([
              .init("chunk", .int(mark.chunk)), .init("count", .int(mark.count)),
              .init("hash", .string(mark.hash)), .init("stamps", .string(mark.stamps)),
            ])
          })),
    ])
    try DurableFile.write(json.serialized + "\n", to: Self.path(folder))
  }

  private static func path(_ folder: String) -> String { "\(folder)/state.json" }
}
