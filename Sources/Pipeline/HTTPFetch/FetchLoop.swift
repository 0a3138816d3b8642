import CCurl
import CrawlPolicy
import SeededRandom

/// The fetcher's thread: takes requests in, starts what may start, judges what has ended.
///
/// Everything it holds is touched by its own thread only. It never sleeps: retries and pauses are
/// times that bound the wait for sockets.
final class FetchLoop {
  let options: FetchOptions
  let settings: CurlSettings
  let policy: CrawlPolicy
  let sniff: BodySniff?
  let retry: RetryPolicy
  private let inbox: FetchInbox
  var random: RandomStream
  let queue: HostQueue<Transfer>
  var manners: HostManners
  let store: OriginStore?
  var origins: OriginBook
  /// Of each origin whose files are on their way, by `FetchURL.host`.
  var loads: [String: OriginLoad] = [:]
  /// A URL of each origin whose files are to be fetched.
  var originsWanted: [FetchURL] = []
  let lookups: HostLookups<Transfer>
  var delayed = TimerHeap<Transfer>()
  var batches: [Int: Batch] = [:]
  var idle: [CurlEasy] = []
  let bodies: BodyStore
  var silence: SilenceWatch
  var control: ConcurrencyControl
  /// Why this machine cannot go on: ends the loop, and every call with it.
  var problem: FetcherError?

  init(
    settings: CurlSettings, resolvers: ResolverPool, sniff: BodySniff?, rates: RateTable,
    hosts: SharedHosts, policy: CrawlPolicy, store: OriginStore?,
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
    manners = HostManners(options: options, rates: rates, hosts: hosts)
  }

  /// Works until the inbox is closed, or this machine fails.
  func run() {
    guard let multi = openMulti() else { return }
    while problem == nil {
      let (commands, isClosed) = inbox.take()
      for command in commands { obey(command, multi) }
      guard !isClosed else { break }
      let now = Clock.monotonic()
      manners.beat(now: now)
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
        until: [
          delayed.nextDue, queue.nextWake, lookups.nextDue, silence.nextDue,
          multi.activeCount > 0 ? now + HostPlaces.pulse : nil,
        ].compactMap { $0 }.min())
      for (easy, code) in multi.ended() {
        finish(easy, code == CURLE_OK ? nil : easy.failure(code), multi)
      }
      watch(multi)
      problem = problem ?? multi.problem
    }
    if let problem { inbox.closeUnserved(problem) }
    for batch in batches.values { batch.end(problem) }
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
      inbox.closeUnserved(error)
      return nil
    }
  }

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
        manners.abandoned(
          transfer.target, isProbe: transfer.isProbe, now: Clock.monotonic())
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
}
