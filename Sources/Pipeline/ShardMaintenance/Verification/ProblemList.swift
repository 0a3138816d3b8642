import Synchronization

/// Problems and counts that several threads find.
final class ProblemList: Sendable {
  private let report = Mutex(VerificationReport())

  func add(_ file: String, _ what: String, _ repair: Repair) {
    report.withLock { $0.problems.append(.init(file, what, repair)) }
  }

  /// The same for what several chunks find.
  func addOnce(_ file: String, _ what: String, _ repair: Repair) {
    report.withLock { report in
      let problem = VerificationReport.Problem(file, what, repair)
      if !report.problems.contains(problem) { report.problems.append(problem) }
    }
  }

  func count(shards: Int = 0, tables: Int = 0, pairs: Int = 0, bytes: Int = 0) {
    report.withLock {
      $0.shards += shards
      $0.tables += tables
      $0.pairs += pairs
      $0.bytes += bytes
    }
  }

  /// All that was found, in an order that does not depend on the threads.
  var result: VerificationReport {
    var found = report.withLock { $0 }
    found.problems.sort { ($0.file, $0.what) < ($1.file, $1.what) }
    return found
  }
}
