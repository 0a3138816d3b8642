import CaptionMatching
import DurableFiles
import PictureIndex

/// An index file of a run that cannot be read, or does not hold what was written.
public struct IndexDamage: Sendable, Equatable {
  /// In the folder.
  public var file: String
  /// In words.
  public var what: String

  /// Reads every byte of the indexes that are in a folder; those that are not there are made by whoever
  /// needs them.
  public static func all(in folder: String) -> [IndexDamage] {
    let checks: [(name: String, check: (String) throws -> Void)] = [
      (KeptPairs.picturesName, { try PictureIndex($0, isWritable: false).verify() }),
      (KeptPairs.pairsName, { try PictureIndex($0, isWritable: false).verify() }),
      (KeptPairs.captionsName, { try CaptionIndex.verify($0) }),
    ]
    return checks.compactMap { name, check in
      let path = "\(folder)/\(name)"
      guard DurableFile.exists(path) else { return nil }
      do { try check(path) } catch { return IndexDamage(file: name, what: "\(error)") }
      return nil
    }
  }
}
