import ContentHashing
public import DecodeStage
import DurableFiles
import PerceptualHash
import PictureIndex
public import PipelineCore

/// Pictures that models are measured with, and that must not be trained on.
///
/// A folder of pictures, a WebDataset tar or a folder of such tars, an index file of another run
/// (`.index`), or a text file with a pHash (16 hexadecimal digits) or a SHA-256 (64) in each line. The
/// pictures are looked at once, into a table in the run's folder, which goes by what the set holds. A pHash
/// alone has no finer part: whatever lies within the radius counts as that picture.
public struct EvaluationSet: Sendable, Equatable {
  /// As verdicts call it: the last part of the path.
  public var name: String
  public var path: String
  /// Pictures and hashes.
  public var count: Int
  /// Files among the pictures that nobody could look at.
  public var refused: Int
  /// The table of its pictures; nil for an index file.
  var table: String?

  /// For a person.
  public var words: String {
    let rest = refused == 0 ? "" : "; \(refused) more files are no pictures that can be looked at"
    return "evaluation set \(name): \(count) pictures or hashes\(rest)"
  }

  static let option = "duplicates.evaluation_sets"

  static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Looks at what has not been looked at before.
  ///
  /// - Parameters:
  ///   - paths: The sets.
  ///   - folder: Where the tables are kept.
  ///   - examiner: Looks at pictures; nil for one in this process.
  ///   - threads: Cores to use.
  ///   - isCancelled: Asked between blocks.
  /// - Returns: A set for each path.
  /// - Throws: `RecipeError` for a set that is missing, cannot be read, or has nothing in it.
  public static func prepare(
    _ paths: [String], in folder: String, examiner: PictureExaminer? = nil, threads: Int = 1,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> [EvaluationSet] {
    try paths.map { path in
      let source = try EvaluationSource(path)
      if case .index = source { return try ofIndex(path) }
      try DurableFile.makeFolder(folder)
      let name = "evaluation-\(try source.identity().prefix(16)).parquet"
      let table = EvaluationTable("\(folder)/\(name)")
      if try !table.isThere {
        try table.write(
          source, examiner ?? PictureExaminer(worker: nil), threads: threads, isCancelled)
      }
      _ = try table.open()
      let (count, refused) = try table.counts()
      guard count > 0 else {
        throw refusal(path, "a set with a picture in it; \(refused) files of it are none")
      }
      return EvaluationSet(
        name: Self.name(of: path), path: path, count: count, refused: refused, table: table.path)
    }
  }

  private static func ofIndex(_ path: String) throws -> EvaluationSet {
    let index = try PictureIndex(path, isWritable: false)
    guard index.count > 0 else { throw refusal(path, "an index with a picture in it") }
    return EvaluationSet(
      name: name(of: path), path: path, count: index.count, refused: 0, table: nil)
  }

  /// What a run that goes by these sets is bound to: a word for each.
  ///
  /// Of a folder the names and sizes of its pictures, of a tar its size, its beginning and its end, of an
  /// index what it holds, of a list its text: reading every picture at each start would cost minutes.
  /// A picture of a folder that another of the same size has taken the place of is not noticed.
  ///
  /// - Throws: `RecipeError` for a set that is missing or has nothing in it.
  public static func identities(_ paths: [String]) throws(RecipeError) -> [String] {
    var words: [String] = []
    for path in paths {
      do {
        words.append(try EvaluationSource(path).identity())
      } catch let error as RecipeError {
        throw error
      } catch {
        throw refusal(path, "a set that can be read: \(error)")
      }
    }
    return words
  }

  static func refusal(_ path: String, _ expected: String) -> RecipeError {
    .badValue(key: option, value: path, expected: expected)
  }
}

/// An evaluation set in use.
final class OpenEvaluationSet {
  let name: String
  let index: PictureIndex
  private let table: EvaluationTable?
  private var words: [Name128: String]?
  /// Those of which nothing else is known.
  private var hashes: [UInt64] = []

  /// - Throws: What is wrong with its table.
  init(_ set: EvaluationSet) throws {
    name = set.name
    guard let path = set.table else {
      index = try PictureIndex(set.path, isWritable: false)
      table = nil
      return
    }
    let table = EvaluationTable(path)
    self.table = table
    (index, hashes) = try table.open()
  }

  /// What the entries are called: of a folder the picture's path in it, of a tar the key.
  func names() throws -> @Sendable (PictureEntry) -> String? {
    guard let table else { return { $0.uid.hex } }
    if words == nil { words = try table.names() }
    let words = words ?? [:]
    return { words[$0.uid] ?? $0.uid.hex }
  }

  /// The nearest bare pHash within `radius`; a flat picture has none that says anything.
  func bareMatch(_ entry: PictureEntry, radius: Int) -> DuplicateMatch? {
    guard let signature = entry.signature, !signature.isFlat, !hashes.isEmpty else { return nil }
    var nearest: (distance: Int, hash: UInt64)?
    for hash in hashes {
      let distance = (hash ^ signature.key).nonzeroBitCount
      if distance <= radius && distance < nearest?.distance ?? .max { nearest = (distance, hash) }
    }
    return nearest.map { found in
      DuplicateMatch(
        uid: PerceptualHash(bits: found.hash).hex, source: name, distance: found.distance)
    }
  }
}
