import Collectives
import Foundation

/// The ranks of one benchmark: this process, and copies of it that are told where to meet.
enum BenchRanks {
  /// How the first rank hands the secret of the group to the others.
  private static let tokenVariable = "PAIRLOOM_BENCH_TOKEN"

  /// Runs `body` as one of the ranks; the first one starts the others and waits for them.
  ///
  /// - Parameters:
  ///   - count: Of all ranks.
  ///   - rendezvous: Where to meet, in a process that was started; nil in the first.
  ///   - arguments: Of the others; `--rank` and `--rendezvous` are added.
  ///   - body: Gets where to meet, and the secret.
  /// - Throws: What `body` throws, and for a rank that does not start or ends badly.
  static func run(
    _ count: Int, rendezvous: String?, arguments: [String],
    _ body: (_ rendezvous: String, _ token: String) throws -> Void
  ) throws {
    if let rendezvous {
      try body(rendezvous, ProcessInfo.processInfo.environment[tokenVariable] ?? "")
      return
    }
    let rendezvous = "127.0.0.1:\(try ProcessGroup.freeLoopbackPort())"
    let token = String(UInt64.random(in: 0 ... .max), radix: 16)
    var others: [ChildProcess] = []
    // A rank that outlives this one would wait for it until its deadline.
    defer { for other in others { other.kill() } }
    for other in 1..<max(1, count) {
      others.append(
        try ChildProcess(
          arguments + ["--rank", "\(other)", "--rendezvous", rendezvous],
          environment: [tokenVariable: token]))
    }
    try body(rendezvous, token)
    for other in others { try other.requireSuccess() }
  }
}
