import Collectives
import Foundation
import Glibc
import Synchronization

/// Where a training process stands among the ranks of its run.
struct RankPlace {
  var rank: Int
  var worldSize: Int
  /// `host:port` on which rank 0 listens.
  var rendezvous: String
  /// A secret that the ranks of one run share.
  var token: String

  /// The place that the launcher gave to this process, if one started it.
  static func inherited(from environment: [String: String]) -> RankPlace? {
    guard let rank = environment["PAIRLOOM_RANK"].flatMap({ Int($0) }),
      let worldSize = environment["PAIRLOOM_WORLD_SIZE"].flatMap({ Int($0) }),
      let rendezvous = environment["PAIRLOOM_RENDEZVOUS"],
      let token = environment["PAIRLOOM_TOKEN"]
    else { return nil }
    return RankPlace(rank: rank, worldSize: worldSize, rendezvous: rendezvous, token: token)
  }

  var environment: [String: String] {
    [
      "PAIRLOOM_RANK": "\(rank)", "PAIRLOOM_WORLD_SIZE": "\(worldSize)",
      "PAIRLOOM_RENDEZVOUS": rendezvous, "PAIRLOOM_TOKEN": token,
    ]
  }
}

/// A rank that did not end well.
struct RankFailure: CustomStringConvertible {
  var rank: Int
  /// What a shell would show: the exit code, or 128 and the signal.
  var code: Int32
  /// The signal that ended it, if one did.
  var signal: Int32?

  /// Exit codes by which a rank says that the same command would end in the same way: a wrong configuration, and
  /// what ends all ranks together.
  static let reasons: Set<Int32> = [2, endedTogether]
  static let endedTogether: Int32 = 4

  var description: String {
    signal.map { "rank \(rank) was killed by signal \($0)" }
      ?? "rank \(rank) ended with exit code \(code)"
  }
}

/// Starts the ranks of a run as processes of this host and waits for them.
///
/// Every child holds the reading end of a pipe as its standard input; when this process dies, however,
/// the pipe closes and the child ends itself (``endWithParent()``).
final class RankLauncher: Sendable {
  private struct State {
    /// The processes that run, by identifier.
    var running: Set<Int32> = []
    /// Set for good once the ranks are asked to stop: none is started after it.
    var isInterrupted = false
    /// The first in time, or the first that says why.
    var failure: RankFailure?
  }

  private let executable: String
  private let arguments: [String]
  private let ranks: Int
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  init(executable: String, arguments: [String], ranks: Int) {
    self.executable = executable
    self.arguments = arguments
    self.ranks = ranks
  }

  /// Asks every rank to stop; each ends its step and rank 0 saves a checkpoint.
  ///
  /// Asks again every second, until all have ended.
  func interrupt() {
    let isDone = state.withLock { state in
      state.isInterrupted = true
      for identifier in state.running { kill(identifier, SIGTERM) }
      return state.running.isEmpty
    }
    guard !isDone else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [self] in interrupt() }
  }

  /// Runs all ranks to their end.
  ///
  /// - Returns: Nil when all ranks ended well, else the first in time that did not; the others are
  ///   then asked to stop, and killed after ten seconds.
  func run() throws -> RankFailure? {
    let rendezvous = "127.0.0.1:\(try ProcessGroup.freeLoopbackPort())"
    var generator = SystemRandomNumberGenerator()
    let token = String(generator.next(), radix: 16) + String(generator.next(), radix: 16)
    let lifeline = Pipe()
    var processes: [Process] = []
    // The ranks end when the writing end closes: it has to outlive them.
    defer { withExtendedLifetime((lifeline, processes)) {} }
    defer { killAll() }
    for rank in 0..<ranks {
      let place = RankPlace(rank: rank, worldSize: ranks, rendezvous: rendezvous, token: token)
      guard let process = try start(place, lifeline) else { break }
      processes.append(process)
    }
    try lifeline.fileHandleForReading.close()
    // Those that did start wait for the rest and have nothing to save.
    if processes.count < ranks { killAll() }

    var isEnding = false
    for _ in processes {
      ended.wait()
      guard !isEnding, state.withLock({ $0.failure != nil }) else { continue }
      isEnding = true
      interrupt()
      DispatchQueue.global().asyncAfter(deadline: .now() + 10) { [self] in killAll() }
    }
    guard processes.count == ranks else {
      return RankFailure(rank: processes.count, code: 128 + SIGTERM, signal: SIGTERM)
    }
    return state.withLock { $0.failure }
  }

  /// Starts one rank; nil when the ranks have been asked to stop before.
  private func start(_ place: RankPlace, _ lifeline: Pipe) throws -> Process? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(place.environment) { _, new in new }
    process.standardInput = lifeline.fileHandleForReading
    process.terminationHandler = { [self] process in
      let (isKilled, status) = (
        process.terminationReason == .uncaughtSignal, process.terminationStatus
      )
      state.withLock { state in
        state.running.remove(process.processIdentifier)
        // A rank that ends on its own for a reason takes the others with it, which may be reaped first.
        let isReason = !isKilled && RankFailure.reasons.contains(status)
        let isFirst =
          state.failure.map { isReason && !RankFailure.reasons.contains($0.code) } ?? true
        if status != 0, isFirst {
          state.failure = RankFailure(
            rank: place.rank, code: isKilled ? 128 + status : status,
            signal: isKilled ? status : nil)
        }
      }
      ended.signal()
    }
    // Under the lock, so that a child that ends at once is not added after it was removed, and none
    // is missed by a signal.
    let isStarted = try state.withLock { state in
      guard !state.isInterrupted else { return false }
      try process.run()
      state.running.insert(process.processIdentifier)
      return true
    }
    return isStarted ? process : nil
  }

  private func killAll() {
    state.withLock { state in for identifier in state.running { kill(identifier, SIGKILL) } }
  }

  /// Ends this process when the one that started it has died.
  static func endWithParent() {
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while true {
        let count = unsafe read(STDIN_FILENO, &byte, 1)
        if count == 0 || (count < 0 && errno != EINTR) { _exit(1) }
      }
    }
  }
}
