import CCurl
import CrawlPolicy

/// What becomes of a transfer when an exchange of it has ended: followed, tried again or reported.
extension FetchLoop {
  /// Takes a transfer off the network and frees its handle and its place at the host.
  func release(_ easy: CurlEasy, _ multi: CurlMulti) {
    multi.remove(easy)
    silence.end(easy)
    if let transfer = easy.transfer {
      leave(transfer, now: Clock.monotonic())
      if transfer.isProbe { queue.wake(host: transfer.target.host) }
    }
    easy.transfer = nil
    idle.append(easy)
  }

  /// Frees a transfer's place in the queue's count, and the one at its host if it has one.
  func leave(_ transfer: Transfer, now: Double) {
    if transfer.hasPlace { manners.left(transfer.target) }
    transfer.hasPlace = false
    queue.finish(host: transfer.target.host, now: now)
  }

  /// Judges an exchange that has ended, and decides what becomes of its transfer.
  ///
  /// - Parameters:
  ///   - easy: The exchange.
  ///   - given: Why it was given up; nil when the answer came to its end.
  ///   - multi: What it is taken out of.
  func finish(
    _ easy: CurlEasy, _ given: (FetchFailure, detail: String)?, _ multi: CurlMulti
  ) {
    guard let transfer = easy.transfer else { preconditionFailure("an exchange for nobody") }
    let sink = easy.sink
    release(easy, multi)
    defer { sink.dropBody() }  // what nobody took
    let now = Clock.monotonic()
    transfer.timeLeft -= now - transfer.exchangeBegan
    if given == nil { sink.end() }
    transfer.note(sink, easy.facts)
    if sink.status != 0, let times = easy.facts.times {
      manners.heard(transfer.target, after: times.firstByte, now: now)
    }
    let isDead = manners.ended(
      transfer.target, status: sink.status, failure: given?.0, isProbe: transfer.isProbe,
      // One that was odd before is no sign that its host is dead.
      began: transfer.wasParked ? -.infinity : transfer.exchangeBegan, now: now)
    defer { if isDead { dropWaiting(at: transfer.target, now: now) } }
    switch given?.0 {
    case .timeout, .connect: control.failed()
    case _ where sink.headersEnded: control.answered()
    default: break
    }

    if let problem = sink.problem ?? easy.machineProblem {
      self.problem = problem
      return
    }
    // What the sink decided counts before libcurl's word for the transfer that it stopped; a final
    // status counts before what befell the body of an error page.
    if let refusal = sink.refusal {
      transfer.refusal = refusal.evidence.map { ($0, isAssumed: false) }
      fail(transfer, refusal.failure, refusal.detail, sink, now)
    } else if sink.headersEnded, !sink.isSuccess {
      if [301, 302, 303, 307, 308].contains(sink.status) {
        follow(transfer, to: sink.fields.location, sink, now)
      } else {
        fail(transfer, .httpStatus, "\(sink.status)", sink, now)
      }
    } else if let (failure, detail) = given, !sink.isCut {
      fail(transfer, failure, detail, sink, now)
    } else if let body = sink.takeBody() {
      report(transfer, transfer.result(body: body, failure: nil, detail: "", now: now))
    } else {
      problem = sink.problem
    }
  }

  /// How many redirects of robots.txt are followed (RFC 9309 §2.3.1.2).
  private static let maxFileRedirects = 5

  private func follow(
    _ transfer: Transfer, to location: String?, _ sink: ResponseSink, _ now: Double
  ) {
    guard let location else {
      return fail(transfer, .redirect, "\(sink.status) without Location", sink, now)
    }
    guard let url = FetchURL(location, relativeTo: transfer.target) else {
      return fail(transfer, .redirect, "to \(location.prefix(200))", sink, now)
    }
    let limit = transfer.batch.file == nil ? options.maxRedirects : Self.maxFileRedirects
    guard transfer.redirects < limit else {
      return fail(transfer, .redirect, "more than \(limit) redirects", sink, now)
    }
    guard transfer.timeLeft > 0 else {
      return fail(transfer, .timeout, "deadline passed between redirects", sink, now)
    }
    transfer.redirects += 1
    transfer.target = url
    if isHostAllowed(transfer) { putFirst(transfer) }
  }

  func fail(
    _ transfer: Transfer, _ failure: FetchFailure, _ detail: String, _ sink: ResponseSink?,
    _ now: Double
  ) {
    if failure == .timeout { transfer.timeouts += 1 }
    var pause: Double?
    if failure == .dns { pause = lookups.pause(after: transfer.target.name, now: now) }
    if let sink, failure == .httpStatus, RetryPolicy.isTransient(failure, status: sink.status) {
      pause = manners.pause(
        transfer.target, status: sink.status,
        retryAfter: sink.fields.retryAfter.flatMap { RetryAfter.seconds($0, now: Clock.wall()) },
        began: transfer.exchangeBegan, now: now)
      if manners.isAway(transfer.target, now: now) {
        dropWaiting(at: transfer.target, now: now)
      }
    }
    guard let delay = delay(after: transfer, failure, status: sink?.status, pause: pause) else {
      return end(transfer, failure: failure, detail: detail, now: now)
    }
    tryAgain(transfer, due: now + delay)
  }

  /// Seconds until another attempt; nil when there is to be none.
  func delay(
    after transfer: Transfer, _ failure: FetchFailure, status: Int?, pause: Double?
  ) -> Double? {
    // The loop's own transfers are repeated by the requests that wait for them; a host that is dead
    // by now is asked no more.
    guard transfer.batch.file == nil,
      manners.refusal(of: transfer.start, now: Clock.monotonic()) == nil
    else { return nil }
    return retry.delay(
      afterAttempt: transfer.attempts, timeouts: transfer.timeouts, failure: failure,
      status: status,
      retryAfter: pause, random: &random)
  }

  func tryAgain(_ transfer: Transfer, due: Double) {
    transfer.beginAttempt(deadline: options.totalDeadline)
    delayed.add(transfer, due: due)
  }

  /// Ends all that waits to ask a host which has just been found dead.
  private func dropWaiting(at url: FetchURL, now: Double) {
    let retries = delayed.takeAll { $0.target.host == url.host }
    for transfer in queue.takeAll(host: url.host, now: now) + retries { refuse(transfer, now: now) }
  }

  func end(_ transfer: Transfer, failure: FetchFailure, detail: String, now: Double) {
    report(transfer, transfer.result(body: nil, failure: failure, detail: detail, now: now))
  }

  private func report(_ transfer: Transfer, _ result: FetchResult) {
    transfer.batch.report(result)
    if transfer.batch.isOver, let id = transfer.batch.id { batches[id] = nil }
  }
}
