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

  public struct Shard: Sendable, Equatable {
    public var file: String
    public var pairs: Int
  }

  /// Pairs taken out of the chunks' shards.
  public var pairs: Int {
    shards.filter { $0.file.hasPrefix("shards/") }.reduce(0) { $0 + $1.pairs }
  }
}

/// Why nothing can be taken out now.
public enum ForgetError: Error, Sendable, Equatable, CustomStringConvertible {
  case atWork(folder: String, jobs: Int)

  public var description: String {
    switch self {
    case .atWork(let folder, let jobs):
      "\(folder): a process works on \(jobs) \(jobs == 1 ? "job" : "jobs") of this run. Stop it with"
        + " Ctrl-C or wait for its end, then forget."
    }
  }
}

/// The keys of pairs that are taken out.
struct ForgottenKeys {
  private(set) var keys: Set<String> = []

  mutating func formUnion(_ other: some Sequence<String>) { keys.formUnion(other) }

  /// Whether a pair goes: its key, or that key before a row's or chunk's number was appended.
  ///
  /// A key that came twice in one shard has such a number; the pairs of one uid all go.
  func contains(_ key: String) -> Bool {
    var rest = Substring(key)
    while !keys.contains(String(rest)) {
      guard let dash = rest.lastIndex(of: "-") else { return false }
      let number = rest[rest.index(after: dash)...]
      guard !number.isEmpty, number.allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
      rest = rest[..<dash]
    }
    return true
  }
}
