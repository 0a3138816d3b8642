import CCurl
import CrawlPolicy
import SeededRandom

/// The fetcher's thread: takes requests in, starts what may start, judges what has ended.
///
/// Everything it holds is touched by its own thread only. It never sleeps: retries and pauses are
/// times that bound the wait for sockets.
final class FetchLoop {
  let options: FetchOptions
  private let settings: CurlSettings
  let policy: CrawlPolicy
  private let sniff: BodySniff?
  private let retry: RetryPolicy
  private let inbox: FetchInbox
  private var random: RandomStream
  let queue: HostQueue<Transfer>
  private var manners: HostManners
  let store: OriginStore?
  var origins: OriginBook
  /// Of each origin whose files are on their way, by `FetchURL.host`.
  var loads: [String: OriginLoad] = [:]
  /// A URL of each origin whose files are to be fetched.
  var originsWanted: [FetchURL] = []
  private let lookups: HostLookups<Transfer>
  private var delayed = TimerHeap<Transfer>()
  private var batches: [Int: Batch] = [:]
  private var idle: [CurlEasy] = []
  private let bodies: BodyStore
  private var silence: SilenceWatch
  private var control: ConcurrencyControl

  init(
    settings: CurlSettings, resolvers: ResolverPool, sniff: BodySniff?, rates: RateTable,
    policy: CrawlPolicy, store: OriginStore?,
    inbox: FetchInbox, random: RandomStream
  ) {
    options = settings.options
    self.settings = settings
    bodies = BodyStore(budget: options.bodyBudget)
    self.sniff = sniff
    lookups = HostLookups(pool: resolvers)
    self.inbox = inbox
    self.random = random
    self.policy = policy
    self.store = store
    origins = OriginBook(policy: policy)
    retry = RetryPolicy(
      attempts: options.attempts, timeoutAttempts: options.timeoutAttempts,
      base: options.backoffBase, cap: options.backoffCap)
    silence = SilenceWatch(firstByteDeadline: options.firstByteDeadline)
    control = ConcurrencyControl(least: options.minConcurrency, most: options.concurrency)
    queue = HostQueue(connectionsPerHost: options.connectionsPerHost)
    manners = HostManners(options: options, rates: rates)
  }

  /// Works until the inbox is closed.
  func run() {
    guard let multi = openMulti() else { return }
    while true {
      let (commands, isClosed) = inbox.take()
      for command in commands { obey(command, multi) }
      guard !isClosed else { break }
      let now = Clock.monotonic()
      while let transfer = delayed.take(dueBy: now) {
        // What timed out goes behind those that have not been asked for yet.
        if transfer.timeouts > 0 {
          queue.add(transfer, host: transfer.target.host)
        } else {
          putFirst(transfer)
        }
      }
      queue.endPauses(now: now)
      takeLookups(now: now, multi)
      repeat { startWhatMay(now: now, multi) } while startLoads()
      if multi.activeCount > 0 { silence.begin(now: now) }
      multi.wait(
        until: [delayed.nextDue, queue.nextWake, lookups.nextDue, silence.nextDue]
          .compactMap { $0 }.min())
      for (easy, code) in multi.ended() {
        finish(easy, code == CURLE_OK ? nil : easy.failure(code), multi)
      }
      watch(multi)
    }
    for batch in batches.values { batch.end() }
  }

  /// Ends what waits for a first byte for too long, and adapts the number of transfers.
  private func watch(_ multi: CurlMulti) {
    let now = Clock.monotonic()
    for easy in silence.look(at: multi.active, now: now) {
      let words = "no byte of an answer within \(options.firstByteDeadline) s"
      finish(easy, (.timeout, words), multi)
    }
    if silence.silentCount > 0 {
      for easy in multi.active.filter(\.silence.isSilent) { park(easy, multi, now: now) }
    }
    let isFull = multi.activeCount - silence.silentCount >= control.limit
    control.adjust(now: now, isFull: isFull)
  }

  /// Gives the place of a silent transfer to those that wait for one at its host.
  ///
  /// A few URLs that hang or drip would otherwise hold all the places of a host that answers the
  /// rest at once. Each goes behind the others once, and has all its time when its turn comes again.
  private func park(_ easy: CurlEasy, _ multi: CurlMulti, now: Double) {
    guard let transfer = easy.transfer, transfer.batch.file == nil, !transfer.isProbe,
      !transfer.wasParked, queue.backlog(of: transfer.target.host) > 0,
      manners.isOdd(transfer.target, began: transfer.exchangeBegan)
    else { return }
    release(easy, multi)
    easy.sink.dropBody()
    transfer.park(options)
    queue.add(transfer, host: transfer.start.host)
  }

  /// Opens the multi handle on this thread; a failure closes the inbox, so that no call waits.
  private func openMulti() -> CurlMulti? {
    do {
      return try CurlMulti(connections: options.concurrency, wakeup: inbox.wakeup)
    } catch {
      inbox.closeUnserved()
      return nil
    }
  }

  /// How many redirects of robots.txt are followed (RFC 9309 §2.3.1.2).
  private static let maxFileRedirects = 5

  // MARK: What comes in

  private func obey(_ command: FetchInbox.Command, _ multi: CurlMulti) {
    switch command {
    case .submit(let submission):
      let batch = Batch(submission)
      guard !submission.cancellation.isCancelled else { return batch.end() }
      batches[submission.id] = batch
      for request in submission.requests { enqueue(request, batch) }
      if batch.isOver { batches[submission.id] = nil }
    case .origin(let answer):
      take(answer)
    case .cancel(let id):
      // Transfers that wait are dropped when their turn comes.
      guard let batch = batches.removeValue(forKey: id) else { return }
      for easy in Array(multi.active) {
        guard let transfer = easy.transfer, transfer.batch === batch else { continue }
        manners.abandoned(transfer.target, isProbe: transfer.isProbe)
        release(easy, multi)
        easy.sink.dropBody()
      }
      batch.end()
    }
  }

  private func enqueue(_ request: FetchRequest, _ batch: Batch) {
    guard let url = FetchURL(request.url) else {
      return batch.report(
        FetchResult(
          id: request.id, stored: nil, failure: .badURL,
          detail: "not an http or https URL with a host", status: nil, finalURL: request.url,
          redirects: 0, attempts: 0, contentType: nil, seconds: 0,
          startedAt: Int(Clock.wall() * 1000)))
    }
    let transfer = Transfer(request, url: url, batch: batch, deadline: options.totalDeadline)
    guard isHostAllowed(transfer) else { return }
    queue.add(transfer, host: url.host)
  }

  // MARK: What goes out

  private func startWhatMay(now: Double, _ multi: CurlMulti) {
    let free = min(options.concurrency, control.limit + silence.silentCount)
    // Lookups have a bound of their own: names that nobody answers for must not fill the places.
    while multi.activeCount < free, lookups.count < options.concurrency,
      let (transfer, _, starts) = queue.next(now: now, admit: { admit($0, now: now) })
    {
      guard starts else {
        refuse(transfer, now: now)
        continue
      }
      if transfer.isLookedUp {
        transfer.isLookedUp = false  // counted when its lookup began
      } else {
        transfer.lookupSeconds = 0
        transfer.begin(now: now)
      }
      transfer.exchangeBegan = now
      guard let name = settings.nameToLookUp(for: transfer.target) else {
        connect(transfer, .addresses([]), now: now, multi)
        continue
      }
      if let answer = lookups.known(name, now: now) {
        connect(transfer, answer, now: now, multi)
      } else {
        let patience = min(options.connectTimeout, transfer.timeLeft)
        lookups.wait(transfer, for: name, deadline: now + patience)
      }
    }
  }

  /// Whether the transfer whose turn it is may start.
  ///
  /// A name is looked up before the host's rate is asked, as requests whose starts were spread would
  /// come in one burst when the answer does.
  private func admit(_ transfer: Transfer, now: Double) -> Admission {
    guard !transfer.batch.isOver else { return .drop }
    if let name = settings.nameToLookUp(for: transfer.target), lookups.known(name, now: now) == nil
    {
      return .start
    }
    let url = transfer.target
    if manners.isAway(url.host, now: now) { return .drop }
    var crawlDelay: Double?
    if transfer.batch.file == nil {
      switch origins.verdict(of: url.path, at: url.host, now: now) {
      case .allowed(let delay): crawlDelay = delay
      case .refused(let evidence, let isAssumed):
        transfer.refusal = (evidence, isAssumed)
        return .drop
      case .unknown:
        originsWanted.append(url)
        return .sleep
      case .pending: return .sleep
      case .failed(let until): return .wait(until: until)
      }
    }
    return manners.admit(url, crawlDelay: crawlDelay, now: Clock.monotonic())
  }

  /// Ends a transfer that `admit` dropped.
  private func refuse(_ transfer: Transfer, now: Double) {
    guard !transfer.batch.isOver else { return }
    if let evidence = transfer.refusal?.evidence {
      end(transfer, failure: FetchFailure(evidence.rule), detail: evidence.text, now: now)
    } else if let (failure, status, detail) = manners.refusal(of: transfer.target.host, now: now) {
      if let status { transfer.status = status }
      end(transfer, failure: failure, detail: detail, now: now)
    } else {
      putFirst(transfer)
    }
  }

  /// Asks the user's own lists of hosts about a transfer's target, and ends the transfer if they
  /// refuse it.
  private func isHostAllowed(_ transfer: Transfer) -> Bool {
    guard let evidence = policy.refusal(host: transfer.target.name) else { return true }
    transfer.refusal = (evidence, isAssumed: false)
    refuse(transfer, now: Clock.monotonic())
    return false
  }

  /// Puts a transfer before those that wait at its target's host.
  ///
  /// The loop's own go before all: a host sleeps until they bring what the others wait for.
  func putFirst(_ transfer: Transfer) {
    queue.add(
      transfer, host: transfer.target.host, first: true, urgent: transfer.batch.file != nil)
  }

  /// Lets the transfers go on whose names have been looked up.
  private func takeLookups(now: Double, _ multi: CurlMulti) {
    for (transfer, answer) in lookups.take(now: now).reversed() {
      guard case .addresses = answer else {
        connect(transfer, answer, now: now, multi)
        continue
      }
      transfer.lookupSeconds = now - transfer.exchangeBegan
      transfer.timeLeft -= transfer.lookupSeconds
      transfer.isLookedUp = true
      queue.finish(host: transfer.target.host, now: now)
      putFirst(transfer)
    }
  }

  /// Starts an exchange with a host whose name was looked up, or is an address.
  private func connect(
    _ transfer: Transfer, _ answer: HostAnswer, now: Double, _ multi: CurlMulti
  ) {
    let host = transfer.target.host
    guard !transfer.batch.isOver else { return queue.finish(host: host, now: now) }
    var addresses: [IPAddress] = []
    var easy: CurlEasy?
    var refusal = Refusal(failure: .connect, detail: "out of memory for another transfer")
    do {
      addresses = try settings.addresses(answer, for: transfer.target)
      easy = freeEasy()
    } catch {
      refusal = error
    }
    guard let easy else {
      queue.finish(host: host, now: now)
      transfer.hops.append(FetchHop(url: transfer.target.text, status: nil))
      return fail(transfer, refusal.failure, refusal.detail, nil, now)
    }
    transfer.exchangeBegan = now
    transfer.isProbe = manners.began(transfer.target, now: now)
    easy.transfer = transfer
    easy.prepare(
      url: transfer.target, addresses: addresses,
      connectTimeout: min(options.connectTimeout - transfer.lookupSeconds, transfer.timeLeft),
      deadline: transfer.timeLeft, fileLimit: transfer.batch.file?.longest)
    multi.add(easy)
  }

  private func freeEasy() -> CurlEasy? {
    if let easy = idle.popLast() { return easy }
    do {
      let sink = ResponseSink(
        maxBytes: options.maxBytes, policy: policy, sniff: sniff, store: bodies)
      return try CurlEasy(settings: settings, sink: sink)
    } catch {
      return nil  // out of memory: the caller fails the transfer
    }
  }

  /// Takes a transfer off the network and frees its handle and its place at the host.
  private func release(_ easy: CurlEasy, _ multi: CurlMulti) {
    multi.remove(easy)
    silence.end(easy)
    if let transfer = easy.transfer {
      queue.finish(host: transfer.target.host, now: Clock.monotonic())
      if transfer.isProbe { queue.wake(host: transfer.target.host) }
    }
    easy.transfer = nil
    idle.append(easy)
  }

  // MARK: What has ended

  /// - Parameters:
  ///   - easy: The exchange.
  ///   - given: Why it was given up; nil when the answer came to its end.
  ///   - multi: What it is taken out of.
  private func finish(
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
    defer { if isDead { dropWaiting(at: transfer.target.host, now: now) } }
    switch given?.0 {
    case .timeout, .connect: control.failed()
    case _ where sink.headersEnded: control.answered()
    default: break
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
    } else if let refusal = sink.refusal {
      fail(transfer, refusal.failure, refusal.detail, sink, now)
    }
  }

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

  private func fail(
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
      if manners.isAway(transfer.target.host, now: now) {
        dropWaiting(at: transfer.target.host, now: now)
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
      manners.refusal(of: transfer.start.host, now: Clock.monotonic()) == nil
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
  private func dropWaiting(at host: String, now: Double) {
    let retries = delayed.takeAll { $0.target.host == host }
    for transfer in queue.takeAll(host: host, now: now) + retries { refuse(transfer, now: now) }
  }

  func end(_ transfer: Transfer, failure: FetchFailure, detail: String, now: Double) {
    report(transfer, transfer.result(body: nil, failure: failure, detail: detail, now: now))
  }

  private func report(_ transfer: Transfer, _ result: FetchResult) {
    transfer.batch.report(result)
    if transfer.batch.isOver, let id = transfer.batch.id { batches[id] = nil }
  }
}
