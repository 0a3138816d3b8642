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

/// Starts the ranks of a run as processes of this host and waits for them.
///
/// Every child holds the reading end of a pipe as its standard input; when this process dies, however,
/// the pipe closes and the child ends itself (``endWithParent()``).
final class RankLauncher: Sendable {
  private let executable: String
  private let arguments: [String]
  private let ranks: Int
  /// The processes that run, by identifier.
  private let running = Mutex<Set<Int32>>([])

  init(executable: String, arguments: [String], ranks: Int) {
    self.executable = executable
    self.arguments = arguments
    self.ranks = ranks
  }

  /// Asks every rank to stop; each ends its step and rank 0 saves a checkpoint.
  func interrupt() {
    for identifier in running.withLock({ $0 }) { kill(identifier, SIGTERM) }
  }

  /// Runs all ranks to their end.
  ///
  /// - Returns: 0 when all ranks ended well, else the exit code of the first that did not; the
  ///   others are then asked to stop, and killed after ten seconds.
  func run() throws -> Int32 {
    let rendezvous = "127.0.0.1:\(try freePort())"
    var generator = SystemRandomNumberGenerator()
    let token = String(generator.next(), radix: 16) + String(generator.next(), radix: 16)
    let lifeline = Pipe()
    let ended = DispatchSemaphore(value: 0)
    let processes = (0..<ranks).map { rank in
      let place = RankPlace(rank: rank, worldSize: ranks, rendezvous: rendezvous, token: token)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment
        .merging(place.environment) { _, new in new }
      process.standardInput = lifeline.fileHandleForReading
      process.terminationHandler = { [self] process in
        _ = running.withLock { $0.remove(process.processIdentifier) }
        ended.signal()
      }
      return process
    }
    defer { for identifier in running.withLock({ $0 }) { kill(identifier, SIGKILL) } }
    for process in processes {
      // Under the lock, so that a child that ends at once is not added after it was removed.
      try running.withLock { running in
        try process.run()
        running.insert(process.processIdentifier)
      }
    }
    try lifeline.fileHandleForReading.close()

    var failure: Int32 = 0
    for _ in processes {
      ended.wait()
      guard failure == 0 else { continue }
      let failed = processes.first { !$0.isRunning && $0.terminationStatus != 0 }
      guard let failed else { continue }
      failure =
        failed.terminationReason == .uncaughtSignal
        ? 128 + failed.terminationStatus : failed.terminationStatus
      interrupt()
      DispatchQueue.global().asyncAfter(deadline: .now() + 10) { [self] in
        for identifier in running.withLock({ $0 }) { kill(identifier, SIGKILL) }
      }
    }
    return failure
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

  private func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(descriptor, generic, length) == 0
          && getsockname(descriptor, generic, &length) == 0
      }
    }
    guard descriptor >= 0, bound else {
      throw CommandError("cannot open a port on 127.0.0.1 for the ranks: errno \(errno)")
    }
    return UInt16(bigEndian: address.sin_port)
  }
}
