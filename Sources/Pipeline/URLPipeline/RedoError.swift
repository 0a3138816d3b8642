public import PipelineCore

/// Why a stage of a run cannot be done again.
public enum RedoError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The list is taken in once.
  case list(folder: String)
  /// Bytes that the stage works on are gone, of so many chunks.
  case inputsGone(folder: String, stage: StageName, chunks: Int, instead: StageName?)
  /// Shards that hold the pictures are gone.
  case shardsGone(folder: String, chunks: [Int])
  /// Rows were retried for what the stage, done again, may decide otherwise.
  case retried(folder: String, stage: StageName)
  /// A retry is choosing its rows from what the stage would change.
  case retryUnfinished(folder: String, stage: StageName)

  public var description: String {
    switch self {
    case .list(let folder):
      "\(folder): the list is taken in once, and its rows are cut into the chunks that all else goes"
        + " by. Take a new folder for another list, other columns, limit or chunk_rows."
    case .inputsGone(let folder, let stage, let chunks, let instead):
      "\(folder): \(stage.rawValue) cannot be done again: " + Self.gone(stage, chunks)
        + (instead.map { ". Take --redo \($0.rawValue)" } ?? ". Take a new folder")
        + (instead == .download ? ", which asks the web once more" : "")
        + ". With --set keep=[\(stage == .decode ? "fetched" : "decoded")] they stay the next time."
    case .shardsGone(let folder, let chunks):
      "\(folder): the pictures of chunk \(chunks.prefix(8).map { String($0) }.joined(separator: ", "))"
        + (chunks.count > 8 ? " …" : "") + " are in no shard. `pairloom verify \(folder) --repair`"
        + " mends the run as it was; then do it again."
    case .retried(let folder, let stage):
      "\(folder): \(stage.rawValue) cannot be done again: rows that failed were asked for again since"
        + " (`pairloom retry`), and one that succeeds now would be there twice. Take a new folder."
    case .retryUnfinished(let folder, let stage):
      "\(folder): \(stage.rawValue) cannot be done again yet: a retry is choosing its rows by what came"
        + " of it. End that first: pairloom retry \(folder)"
    }
  }

  /// What of a stage's inputs is missing, for a person.
  static func gone(_ stage: StageName, _ chunks: Int) -> String {
    "the \(stage == .decode ? "downloaded bytes" : "decoded pictures") of"
      + " \(chunks) \(chunks == 1 ? "chunk is" : "chunks are") gone"
  }
}
