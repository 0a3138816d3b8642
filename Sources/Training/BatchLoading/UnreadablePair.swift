import DurableFiles
import Glibc
import ImageCodec
import PairDataset

/// Why one pair cannot be had: its shard or its picture is damaged or gone, or it has no caption.
struct UnreadablePair: Error {
  var reason: String

  init(reason: String) { self.reason = reason }

  /// Nil for an error that says nothing of the pair: this process lacks memory or open files.
  init?(_ error: any Error) {
    switch error {
    case let error as ShardError:
      if case .file(let cause) = error.reason,
        [ENOMEM, EMFILE, ENFILE].contains(cause.errorNumber)
      {
        return nil
      }
    case is ImageError, is MissingCaption: break
    default: return nil
    }
    reason = "\(error)"
  }
}
