import DecodeStage
import Deduplication
import PipelineCore
import WorkerThreads

/// Keeps some of the dropped pictures for a person to look at, where that can be done.
///
/// A chunk's verdicts hold without samples, so what goes wrong here fails no chunk: it is noted, and the
/// run tells it at its end. A disk that is full or gone stops the next file that is published.
final class SampleKeeper: Sendable {
  private let maker: ThumbnailMaker

  init(_ maker: ThumbnailMaker) { self.maker = maker }

  /// Puts aside some of what a chunk has dropped.
  ///
  /// - Returns: What went wrong; nil where nothing did.
  /// - Throws: `CancellationError` alone.
  func keep(_ verdicts: [Verdict], of chunk: Int, in folder: RunFolder) async throws -> String? {
    do {
      let maker = self.maker
      try await CancellationFlag.watch { flag in
        try await Parallel.detached {
          try DuplicateSamples(of: folder)
            .keep(chunk: chunk, verdicts, in: folder, by: maker, flag)
        }
      }
      return nil
    } catch let error as CancellationError {
      throw error
    } catch {
      return "\(error)"
    }
  }

  /// What is said of chunks without samples.
  static func words(_ problems: [String]) -> String? {
    guard let first = problems.first else { return nil }
    return "\(problems.count) \(problems.count == 1 ? "chunk has" : "chunks have") no pictures of"
      + " duplicates to be looked at, as \(first); shards and tables are whole"
  }
}
