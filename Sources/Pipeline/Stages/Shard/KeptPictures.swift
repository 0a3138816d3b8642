import DurableFiles
import PairDataset
import PipelineCore

/// The encoded pictures of a chunk's kept pairs, wherever they are.
///
/// They lie in `decoded/` until their shard is written. When the stage is done again they are in the
/// shard that it wrote: the same pairs in the same order, or some more, whatever their keys and their
/// tar were. What is read there is held against the digest of the download and the length that decoding noted. The
/// shard that is read stays until the new one takes its place or is published beside it.
struct KeptPictures {
  let chunk: Int
  let folder: RunFolder

  /// Calls `body` with each pair's picture, in order.
  ///
  /// - Throws: What `body` throws; ``StageError`` where a picture is nowhere to be had.
  func forEach(of fates: [PairFate], _ body: (PairFate, [UInt8]) throws -> Void) throws {
    if DurableFile.exists(folder.decodedBytes(chunk)) {
      for fate in fates { try body(fate, try decoded(fate)) }
      return
    }
    // Where two are there, one killed process has published the second and not removed the first:
    // they hold the same.
    guard let path = ShardFiles.shard(chunk, in: folder.shards) else {
      throw error(
        "its decoded pictures are gone, and there is no shard that has them; `pairloom run` with"
          + " --redo download asks for them again")
    }
    var rest = fates[...]
    try ShardReader(path: path).forEach { pair in
      // A pair that has become a duplicate of an earlier one is passed over.
      guard let fate = rest.first, try Self.isPicture(pair, of: fate) else { return }
      rest.removeFirst()
      try body(fate, pair.image)
    }
    if let missing = rest.first {
      throw error("its decoded pictures are gone, and \(path) lacks row \(missing.candidate.row)")
    }
  }

  private func decoded(_ fate: PairFate) throws -> [UInt8] {
    guard let range = fate.decoded?.bytes else {
      preconditionFailure("row \(fate.candidate.row) is kept without a picture")
    }
    let image = try DurableFile.read(
      folder.decodedBytes(chunk), count: range.length, at: range.offset)
    guard image.count == range.length else {
      throw error(
        "row \(fate.candidate.row) has \(image.count) of \(range.length) bytes; the decoded file"
          + " is cut")
    }
    return image
  }

  /// Whether a pair of the old shard is this one, as its JSON has it in every layout.
  private static func isPicture(_ pair: Pair, of fate: PairFate) throws -> Bool {
    guard let decoded = fate.decoded, pair.image.count == decoded.bytes?.length else {
      return false
    }
    let members = try JSONValue.parse(pair.metadata)
    return members["sha256"]?.text == decoded.sha256
      && members["width"]?.integer == decoded.width
      && members["height"]?.integer == decoded.height
  }

  private func error(_ problem: String) -> StageError {
    StageError(.shard, chunk: chunk, problem)
  }
}
