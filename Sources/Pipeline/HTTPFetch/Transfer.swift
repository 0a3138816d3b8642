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
  /// Seconds that the current attempt has left for its exchanges.
  var timeLeft: Double
  /// When the current exchange began; monotonic seconds.
  var exchangeBegan = 0.0
  var firstBegan: Double?
  var startedAt = 0
  var status: Int?
  var contentType: String?

  init(_ request: FetchRequest, url: FetchURL, batch: Batch, deadline: Double) {
    self.request = request
    self.batch = batch
    self.start = url
    self.target = url
    self.timeLeft = deadline
  }

  func beginAttempt(deadline: Double) {
    target = start
    redirects = 0
    timeLeft = deadline
    contentType = nil
  }

  func result(body: [UInt8]?, failure: FetchFailure?, detail: String, now: Double) -> FetchResult {
    FetchResult(
      id: request.id, body: body, failure: failure, detail: detail, status: status,
      finalURL: target.text, redirects: redirects, attempts: attempts, contentType: contentType,
      seconds: now - (firstBegan ?? now), startedAt: startedAt)
  }
}

/// The requests of one `fetch` call.
///
/// Lives on the loop thread.
final class Batch {
  private let submission: Submission
  private var remaining: Int
  private(set) var isOver = false

  init(_ submission: Submission) {
    self.submission = submission
    self.remaining = submission.requests.count
  }

  var id: Int { submission.id }

  func report(_ result: FetchResult) {
    guard !isOver else { return }
    submission.onResult(result)
    remaining -= 1
    if remaining == 0 { end() }
  }

  /// Lets the caller go on; later results are dropped.
  func end() {
    guard !isOver else { return }
    isOver = true
    submission.continuation.resume()
  }
}
