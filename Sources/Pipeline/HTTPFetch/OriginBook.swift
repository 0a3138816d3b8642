package import CrawlPolicy

/// What each origin (scheme, host, port) is known to wish, and of which nothing is known yet.
///
/// Lives on the loop thread; time comes in as a parameter. It remembers 65,536 origins and forgets
/// the oldest first, to ask for them again: a cache on disk remembers all.
package struct OriginBook {
  package enum Verdict: Equatable {
    /// With the seconds between two requests that the origin asks for, if it does.
    case allowed(crawlDelay: Double?)
    /// `isAssumed` where no answer said so, but RFC 9309 §2.3.1.4 does.
    case refused(PolicyEvidence, isAssumed: Bool)
    /// The origin's files are to be fetched: said once, then `pending` until the outcome is told.
    case unknown
    case pending
    /// They could not be fetched; not again before this time, monotonic seconds.
    case failed(until: Double)
  }

  private enum Entry {
    case pending(failures: Int)
    case failed(failures: Int, until: Double)
    case known(Wishes)
  }

  private struct Wishes {
    /// Only the files that say something to us.
    var rules: [OriginRules]
    var crawlDelay: Double?
    var until: Double
    var isAssumed: Bool
  }

  private let policy: CrawlPolicy
  private var entries: [String: Entry] = [:]
  /// Origins of which something came to be known, oldest first, from `oldest` on.
  private var order: [String] = []
  private var oldest = 0

  package static let limit = 65_536
  /// Seconds for which what an origin says is good (RFC 9309 §2.4).
  package static let lifetime = 86_400.0

  /// Origins that are remembered.
  package var count: Int { entries.count }

  package init(policy: CrawlPolicy) { self.policy = policy }

  /// Whether a path, with its query, of an origin may be asked for.
  package mutating func verdict(of path: String, at origin: String, now: Double) -> Verdict {
    if policy.originFiles.isEmpty { return .allowed(crawlDelay: nil) }
    switch entries[origin] {
    case .known(let wishes) where now < wishes.until:
      if let evidence = policy.refusal(path: path, rules: wishes.rules) {
        return .refused(evidence, isAssumed: wishes.isAssumed)
      }
      return .allowed(crawlDelay: wishes.crawlDelay)
    case .pending: return .pending
    case .failed(_, let until) where now < until: return .failed(until: until)
    case .failed(let failures, _):
      entries[origin] = .pending(failures: failures)
      return .unknown
    case .known, nil:
      entries[origin] = .pending(failures: 0)
      return .unknown
    }
  }

  /// Takes what an origin's files say, good until `until`.
  package mutating func learn(
    _ rules: [OriginRules], of origin: String, until: Double, isAssumed: Bool = false
  ) {
    let wishes = Wishes(
      rules: rules.filter(\.mayRefuse), crawlDelay: policy.crawlDelay(rules), until: until,
      isAssumed: isAssumed)
    entries[origin] = .known(wishes)
    remember(origin)
  }

  private mutating func remember(_ origin: String) {
    order.append(origin)
    // One that was learnt anew stands here more than once, and goes with its first place: a day, or
    // 65,536 others, have passed since.
    while order.count - oldest > Self.limit {
      let name = order[oldest]
      oldest += 1
      // Somebody waits for one that is pending; it comes back into the order with its outcome.
      if case .pending = entries[name] { continue }
      entries[name] = nil
    }
    if oldest >= 1024, oldest * 2 >= order.count {
      order.removeFirst(oldest)
      oldest = 0
    }
  }

  /// Notes that an origin's files could not be had.
  ///
  /// - Parameters:
  ///   - origin: Whose.
  ///   - pause: Until when they are not asked for, from the count of failures in a row.
  /// - Returns: That count.
  package mutating func failed(_ origin: String, pause: (Int) -> Double) -> Int {
    var failures = 1
    if case .pending(let before) = entries[origin] { failures += before }
    entries[origin] = .failed(failures: failures, until: pause(failures))
    remember(origin)
    return failures
  }
}

extension OriginRules {
  /// Whether anything can follow from these rules for a path.
  fileprivate var mayRefuse: Bool { answer == .disallowAll || ruleCount > 0 }
}
