import DurableFiles
import PairDataset

/// Finds the shards that a person names.
public enum ShardPaths {
  /// The shards in their order.
  ///
  /// A file is taken as it is. A folder gives the shards of its `dataset.json`, where it has one, else its
  /// tars by name. Patterns go by ``ShardPattern``.
  ///
  /// - Throws: ``ShardDeduplicationError/noShards(_:)`` for what gives none; `FileError`; `ShardError`
  ///   for a damaged manifest, or a pattern of too many files.
  public static func find(_ inputs: [String]) throws -> [String] {
    try inputs.flatMap { input in
      let found = try find(input)
      guard !found.isEmpty else { throw ShardDeduplicationError.noShards(input) }
      return found
    }
  }

  private static func find(_ input: String) throws -> [String] {
    let folder = input.hasSuffix("/") ? String(input.dropLast()) : input
    let manifest = "\(folder)/dataset.json"
    if DurableFile.isFolder(input), DurableFile.exists(manifest) {
      return try DatasetManifest.read(manifest).shards.map { "\(folder)/\($0.file)" }
    }
    return try ShardPattern.files(input)
  }
}
