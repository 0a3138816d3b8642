package import HTTPFetch
import Synchronization

/// One page asked for, the way a run asks.
package struct WebVisit: Sendable, Equatable {
  package var url: String
  package var status: Int?
  package var failure: FetchFailure?
  package var detail: String
  package var seconds: Double

  package init(
    url: String, status: Int? = nil, failure: FetchFailure? = nil, detail: String = "",
    seconds: Double = 0
  ) {
    self.url = url
    self.status = status
    self.failure = failure
    self.detail = detail
    self.seconds = seconds
  }

  var isHTTPS: Bool { url.lowercased().hasPrefix("https:") }
  /// Some answer of the web came, whatever it said.
  var hasAnswer: Bool { failure == nil || status != nil }

  /// Asks for all `urls` at once with the recipe's manners, one try each.
  ///
  /// - Returns: One visit per URL, in order, after at most `bound` seconds.
  static func all(_ urls: [String], options: FetchOptions, bound: Double) async -> [WebVisit] {
    var options = options
    options.attempts = 1
    options.concurrency = max(64, urls.count)
    options.connectTimeout = min(options.connectTimeout, bound * 0.6)
    options.totalDeadline = min(options.totalDeadline, bound * 0.8)
    options.maxBytes = 1 << 20
    let found = VisitBook()
    do {
      let fetcher = try Fetcher(options: options)
      defer { fetcher.shutDown() }
      let requests = urls.enumerated().map { FetchRequest(id: $0.offset, url: $0.element) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await fetcher.fetch(requests) { result in
            let visit = WebVisit(
              url: urls[result.id], status: result.status, failure: result.failure,
              detail: result.detail, seconds: result.seconds)
            found.enter(visit, at: result.id)
          }
        }
        group.addTask {
          // Cut short by the cancellation below when all answers are there.
          try? await Task.sleep(for: .seconds(bound))
        }
        try await group.next()
        group.cancelAll()
      }
    } catch {
      return urls.map { WebVisit(url: $0, failure: .connect, detail: "\(error)") }
    }
    let visits = found.visits
    return urls.indices.map { index in
      visits[index]
        ?? WebVisit(
          url: urls[index], failure: .timeout, detail: "no answer in \(Int(bound)) s",
          seconds: bound)
    }
  }
}

/// The visits that have ended so far.
private final class VisitBook: Sendable {
  private let book = Mutex<[Int: WebVisit]>([:])

  var visits: [Int: WebVisit] { book.withLock { $0 } }

  func enter(_ visit: WebVisit, at index: Int) { book.withLock { $0[index] = visit } }
}
