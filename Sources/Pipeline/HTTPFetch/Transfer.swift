import CrawlPolicy

/// One request on its way, over all its hops and attempts.
///
/// Lives on the loop thread.
final class Transfer {
  let request: FetchRequest
  let batch: Batch
  let start: FetchURL
  /// The hop that is next or under way.
  var target: FetchURL
  var redirects = 0
  var attempts = 0
  /// Attempts that ended in a timeout.
  var timeouts = 0
  /// Seconds that the current attempt has left for its exchanges.
  var timeLeft: Double
  /// When the current exchange began; monotonic seconds.
  var exchangeBegan = 0.0
  /// Whether the current exchange has a place at its host.
  var hasPlace = false
  /// Whether the current exchange probes a host that did not answer.
  var isProbe = false
  /// Whether it gave its place at the host away once, for it was silent.
  private(set) var wasParked = false
  /// What the name lookup of the current exchange took; 0 where none was needed.
  var lookupSeconds = 0.0
  /// Whether that lookup is over and the exchange waits for its start.
  var isLookedUp = false
  var firstBegan: Double?
  var startedAt = 0
  var status: Int?
  var contentType: String?
  /// The current attempt's exchanges so far.
  var hops: [FetchHop] = []
  /// A refusal by policy, which is final.
  var refusal: (evidence: PolicyEvidence, isAssumed: Bool)?
  var receivedBytes = 0
  var etag: String?
  var lastModified: String?
  /// Of the last exchange.
  var facts = ExchangeFacts()

  init(_ request: FetchRequest, url: FetchURL, batch: Batch, deadline: Double) {
    self.request = request
    self.batch = batch
    self.start = url
    self.target = url
    self.timeLeft = deadline
  }

  /// Counts the attempt that begins now, unless it goes on with a redirect.
  func begin(now: Double) {
    if redirects == 0 { attempts += 1 }
    guard firstBegan == nil else { return }
    firstBegan = now
    startedAt = Int(Clock.wall() * 1000)
  }

  /// Gives up the attempt under way for another with all its time.
  ///
  /// It counts as one that timed out where others are left, and not at all where this is the last.
  func park(_ options: FetchOptions) {
    wasParked = true
    if timeouts + 1 < options.timeoutAttempts, attempts < options.attempts {
      timeouts += 1
    } else {
      attempts -= 1
    }
    beginAttempt(deadline: options.totalDeadline)
  }

  func beginAttempt(deadline: Double) {
    target = start
    isLookedUp = false
    lookupSeconds = 0
    redirects = 0
    timeLeft = deadline
    hops = []
    forgetAnswer()
  }

  /// Takes down what the exchange to `target` gave, whatever its end.
  func note(_ sink: ResponseSink, _ facts: ExchangeFacts) {
    hops.append(FetchHop(url: target.text, status: sink.status == 0 ? nil : sink.status))
    if sink.status != 0 { status = sink.status }
    contentType = sink.fields.contentType
    etag = sink.fields.etag
    lastModified = sink.fields.lastModified
    receivedBytes += facts.receivedBytes
    self.facts = facts
    // libcurl's clock started when the lookup had ended.
    self.facts.times?.shift(by: lookupSeconds)
  }

  private func forgetAnswer() {
    contentType = nil
    etag = nil
    lastModified = nil
    facts = ExchangeFacts()
  }

  func result(body: FetchedBody?, failure: FetchFailure?, detail: String, now: Double)
    -> FetchResult
  {
    FetchResult(
      id: request.id, stored: body, failure: failure, detail: detail, status: status,
      finalURL: target.text, redirects: redirects, attempts: attempts, contentType: contentType,
      seconds: now - (firstBegan ?? now), startedAt: startedAt, hops: hops, address: facts.address,
      httpVersion: facts.httpVersion, receivedBytes: receivedBytes, etag: etag,
      lastModified: lastModified, times: facts.times, evidence: refusal?.evidence,
      isAssumed: refusal?.isAssumed ?? false)
  }
}

/// The requests of one `fetch` call, or the loop's own for an origin's file.
///
/// Lives on the loop thread.
final class Batch {
  /// nil for the loop's own batches.
  let id: Int?
  /// What the loop asks for itself; nil for a caller's requests.
  let file: OriginFile?
  private let onResult: (FetchResult) -> Void
  private let onEnd: (FetcherError?) -> Void
  private var remaining: Int
  private(set) var isOver = false

  init(_ submission: Submission) {
    id = submission.id
    file = nil
    onResult = submission.onResult
    onEnd = { submission.continuation.resume(returning: $0) }
    remaining = submission.requests.count
  }

  init(file: OriginFile, onResult: @escaping (FetchResult) -> Void) {
    id = nil
    self.file = file
    self.onResult = onResult
    onEnd = { _ in }
    remaining = 1
  }

  func report(_ result: FetchResult) {
    guard !isOver else { return }
    onResult(result)
    remaining -= 1
    if remaining == 0 { end() }
  }

  /// Lets the caller go on, with an error or without; later results are dropped.
  func end(_ problem: FetcherError? = nil) {
    guard !isOver else { return }
    isOver = true
    onEnd(problem)
  }
}
