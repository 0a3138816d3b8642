import DurableFiles
import PictureIndex
public import PipelineCore

/// Index files that a recipe names.
public enum EvaluationIndex {
  /// The index that a path means: of a run's folder the run's own.
  static func file(_ path: String) -> String {
    guard DurableFile.isFolder(path) else { return path }
    return "\(RunFolder(path).duplicates)/\(KeptPairs.picturesName)"
  }

  /// What an index file holds, in a word.
  static func hash(of path: String) throws -> String {
    try PictureIndex(file(path), isWritable: false).contentHash
  }

  /// What a run that is held against these indexes is bound to.
  ///
  /// - Throws: `RecipeError` for a file that is no index, or is damaged.
  public static func identities(_ paths: [String]) throws(RecipeError) -> [String] {
    var hashes: [String] = []
    for path in paths {
      guard DurableFile.exists(file(path)) else {
        throw .badValue(
          key: "duplicates.against", value: path,
          expected: "there: name an index file, or the folder of a run that has deduplicated")
      }
      do {
        hashes.append(try hash(of: path))
      } catch {
        throw .badValue(
          key: "duplicates.against", value: path, expected: "an index that can be read: \(error)")
      }
    }
    return hashes
  }
}
