import CrawlPolicy
import Foundation
import HTTPFetch
import Synchronization

/// Fetches from a `BenchServer`: what the benchmarks of the download have in common.
enum LoopbackFetch {
  /// A request failed: the figure would be none.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Options for a server of our own that has no robots.txt.
  static func options(_ change: (inout FetchOptions) -> Void) -> FetchOptions {
    var options = FetchOptions()
    options.allowAddresses = ["127.0.0.0/8"]
    options.policy.profile = .off
    options.attempts = 1
    (options.connectTimeout, options.firstByteDeadline) = (60, 60)
    (options.totalDeadline, options.lowSpeedSeconds) = (120, 0)
    change(&options)
    return options
  }

  /// Fetches `count` URLs, each its own.
  static func run(_ count: Int, port: Int, options: FetchOptions) async throws {
    let fetcher = try Fetcher(options: options)
    defer { fetcher.shutDown() }
    let problem = Mutex<String?>(nil)
    let requests = (0..<count).map {
      FetchRequest(id: $0, url: "http://127.0.0.1:\(port)/\(getpid())/\($0).jpg")
    }
    try await fetcher.fetch(requests) { result in
      if let failure = result.failure {
        problem.withLock { $0 = "\(failure.rawValue): \(result.detail)" }
      }
    }
    if let problem = problem.withLock({ $0 }) { throw Failure(description: problem) }
  }
}
