import CrawlPolicy

/// The fetching of one origin's files.
///
/// robots.txt comes first: an origin that does not answer for it is not asked for more.
final class OriginLoad {
  /// As in `FetchURL.host`.
  let origin: String
  /// What the files' paths are put behind.
  let base: String
  private var waiting: [OriginFile]
  private var underWay = 0
  private(set) var rules: [OriginRules] = []

  init(_ url: FetchURL, files: [OriginFile]) {
    origin = url.host
    base = url.origin
    waiting = files
  }

  var isComplete: Bool { waiting.isEmpty && underWay == 0 }

  /// The files to ask for now.
  func next() -> [OriginFile] {
    guard underWay == 0 else { return [] }
    let count = waiting.first == .robotsTxt ? 1 : waiting.count
    defer {
      waiting.removeFirst(count)
      underWay = count
    }
    return Array(waiting.prefix(count))
  }

  func keep(_ rules: OriginRules) {
    self.rules.append(rules)
    underWay -= 1
  }
}

/// Why an origin's robots.txt could not be had.
struct OriginTrouble {
  var failure: FetchFailure
  var detail: String
  var status: Int?
  /// Whether the origin itself failed, as it would for any other of its URLs.
  ///
  /// That failure is then the one that counts; else the origin answers, and RFC 9309 §2.3.1.4
  /// disallows everything.
  var isOrigin: Bool

  /// What came of asking for an origin's file; `trouble` only when nothing can be concluded.
  ///
  /// - Throws: `FetcherError` where this machine's disk fails.
  static func outcome(
    of result: FetchResult
  ) throws(FetcherError) -> (answer: OriginAnswer, trouble: OriginTrouble?) {
    guard let failure = result.failure else {
      return (.body(try result.readBody() ?? []), nil)
    }
    let status = result.status ?? 0
    switch failure {
    // Sites say 429 to those who ask too much; it tells nothing of what they allow.
    case .httpStatus where status < 500 && status != 429: return (.unavailable, nil)
    case .redirect: return (.unavailable, nil)
    default: break
    }
    let isNetwork: Set<FetchFailure> = [
      .dns, .noSuchHost, .addressRefused, .connect, .tls, .timeout,
    ]
    let isOrigin =
      isNetwork.contains(failure) && result.redirects == 0 && result.hops.last?.status == nil
    let trouble = OriginTrouble(
      failure: failure,
      // A host that does not answer at all says nothing of its robots.txt.
      detail: isOrigin ? result.detail : "\(result.finalURL): \(result.detail)",
      status: failure == .httpStatus ? result.status : nil, isOrigin: isOrigin)
    return (.unreachable, trouble)
  }
}

extension FetchFailure {
  /// The class of a refusal.
  init(_ rule: PolicyEvidence.Rule) {
    self =
      switch rule {
      case .xRobotsTag: .robots
      case .robotsTxt: .robotsTxt
      case .tdmHeader, .tdmFile, .aiTxt: .tdmReserved
      case .contentUsageHeader, .contentUsageRobots: .contentUsage
      case .hostList: .hostDenied
      }
  }
}
