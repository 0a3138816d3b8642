public import PipelineCore

/// What a request takes out of a run.
public struct ForgetOutcome: Sendable, Equatable {
  /// Rows of the list by request, rows that have no picture included.
  public var rows: [ForgetRequest: Int] = [:]
  /// The uids of all these rows, each once, sorted.
  public var uids: [String] = []
  /// The shards that hold such pairs, `shards/` and final ones, with how many.
  public var shards: [Shard] = []
  /// Whether an interrupted request was ended on the way.
  public var hasResumed = false

  /// Adds what another round has taken out.
  mutating func add(_ more: [Shard]) {
    for shard in more {
      if let known = shards.firstIndex(where: { $0.file == shard.file }) {
        shards[known].pairs += shard.pairs
      } else {
        shards.append(shard)
      }
    }
  }

  public struct Shard: Sendable, Equatable {
    public var file: String
    public var pairs: Int
  }

  /// Pairs taken out of the chunks' shards.
  public var pairs: Int {
    shards.filter { $0.file.hasPrefix("shards/") }.reduce(0) { $0 + $1.pairs }
  }
}

/// A run has gone on while pairs were taken out of it: what it wrote may hold them.
public struct ForgetRaceError: Error, Sendable, Equatable, CustomStringConvertible {
  public var folder: String

  public var description: String {
    "\(folder): a process works on this run, and what it writes may hold the pairs. Stop it with Ctrl-C"
      + " or wait for its end, then end the request with `pairloom forget \(folder)`."
  }
}

/// Why nothing can be taken out now.
public enum ForgetError: Error, Sendable, Equatable, CustomStringConvertible {
  case atWork(folder: String, jobs: Int)
  /// Jobs that were done are to be done again: a redo, a release or a repair.
  case handedBack(folder: String)

  public var description: String {
    switch self {
    case .atWork(let folder, let jobs):
      "\(folder): a process works on \(jobs) \(jobs == 1 ? "job" : "jobs") of this run. Stop it with"
        + " Ctrl-C or wait for its end, then forget."
    case .handedBack(let folder):
      "\(folder): shards are being made again (--redo, a release or a repair), and the pictures for them"
        + " are in the old ones. End that with the `pairloom run` command that began it, then forget."
    }
  }
}
