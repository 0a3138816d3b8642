import PairDataset
import PipelineCore

/// Where a kept pair stands among those that `dataset.json` lists.
public struct DatasetPlace: Sendable, Equatable {
  /// As the manifest names it.
  public var shard: String
  /// The pair's number over all shards in the manifest's order, from 0: the one that training counts by.
  public var number: Int
  /// Its key in the shard.
  public var key: String?
}

extension StoryTeller {
  /// The place of a row's pair.
  ///
  /// - Parameter row: One that ``PairSearch`` has found.
  /// - Returns: Nil where it is in no listed shard.
  /// - Throws: What a table lacks.
  public func datasetPlace(ofRow row: Int) async throws -> DatasetPlace? {
    guard let record = newest(try await records(ofRow: row)), !record.isForgotten,
      let place = try await finalShards().place(of: record)
    else { return nil }
    var before = 0
    for shard in try DatasetManifest.read(run.folder.dataset).shards {
      guard shard.file != place.shard.file else {
        return DatasetPlace(
          shard: shard.file, number: before + place.number,
          key: try finalKey(at: place) ?? record.key)
      }
      before += shard.pairs
    }
    return nil
  }
}
