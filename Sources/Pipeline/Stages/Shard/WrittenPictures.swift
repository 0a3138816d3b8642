import DurableFiles
import PairDataset
import PipelineCore

/// The pictures of a chunk in the shard that was written of it, for when it is written again.
///
/// The decoded bytes are dropped once they stand in a shard. The open shard is read on while another
/// takes its place.
struct WrittenPictures {
  private let chunk: Int
  private let reader: ShardReader

  /// - Returns: nil where the decoded bytes are there, or no shard is.
  /// - Throws: What is wrong with the shard.
  init?(_ chunk: Int, in folder: RunFolder) throws {
    guard !DurableFile.exists(folder.decodedBytes(chunk)),
      let path = ShardFiles.shard(chunk, in: folder.shards)
    else { return nil }
    self.chunk = chunk
    reader = try ShardReader(path: path)
  }

  /// The picture of a pair that the shard holds.
  ///
  /// - Throws: ``StageError`` where it holds another one, or none, under the pair's key.
  func picture(of fate: PairFate, length: Int) throws -> [UInt8] {
    guard let number = reader.number(of: fate.key) else {
      throw StageError(
        .shard, chunk: chunk,
        "the decoded bytes are gone, and \(reader.path) has no pair \(fate.key) to take them from;"
          + " `pairloom verify --repair` downloads the chunk again")
    }
    let image = try reader.pair(at: number).image
    guard image.count == length else {
      throw StageError(
        .shard, chunk: chunk,
        "the decoded bytes are gone, and pair \(fate.key) of \(reader.path) has \(image.count)"
          + " instead of \(length); `pairloom verify --repair` downloads the chunk again")
    }
    return image
  }
}
