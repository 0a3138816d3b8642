import CrawlPolicy

/// How the loop comes to know what an origin wishes before it asks the origin for a picture.
///
/// The first request to an origin sends its host to sleep in the queue; the origin's files come from
/// the cache on disk, or by transfers of a batch of their own, which pass address guard, lists of
/// hosts, rate and circuit breaker like all others; then the host is woken. robots.txt that cannot
/// be had costs each waiting request an attempt. When the attempts are used up, the class is that of
/// the network's failure if the origin did not answer at all. Where it answers, but with a server
/// error or with half a file, RFC 9309 §2.3.1.4 wants everything disallowed: the request ends as
/// `robotsTxt` with that as its evidence, marked as assumed, since no site said so; for a minute the
/// origin's other requests end so as well, then robots.txt is tried again.
extension FetchLoop {
  /// How long everything counts as disallowed without another try; seconds.
  private static let assumedFor = 60.0

  /// Starts the loads that `admit` asked for; false when there were none.
  func startLoads() -> Bool {
    let urls = originsWanted
    originsWanted = []
    for url in urls {
      loads[url.host] = OriginLoad(url, files: policy.originFiles)
      if let store { store.ask(url.host) } else { fetchFiles(of: url.host) }
    }
    return !urls.isEmpty
  }

  /// Takes the disk's answer.
  func take(_ answer: OriginStore.Answer) {
    guard let rules = answer.rules else { return fetchFiles(of: answer.origin) }
    loads[answer.origin] = nil
    origins.learn(rules, of: answer.origin, until: Clock.monotonic() + answer.seconds)
    queue.wake(host: answer.origin)
  }

  private func fetchFiles(of origin: String) {
    guard let load = loads[origin] else { return }
    for file in load.next() {
      guard let url = FetchURL(load.base + file.path) else {
        preconditionFailure("no URL: \(load.base + file.path)")
      }
      let batch = Batch(file: file) { [weak self] in self?.ended(file, of: load, $0) }
      let transfer = Transfer(
        FetchRequest(id: 0, url: url.text), url: url, batch: batch,
        deadline: options.totalDeadline)
      putFirst(transfer)
    }
  }

  private func ended(_ file: OriginFile, of load: OriginLoad, _ result: FetchResult) {
    let outcome: OriginAnswer
    let trouble: OriginTrouble?
    do {
      (outcome, trouble) = try OriginTrouble.outcome(of: result)
    } catch {
      problem = error
      return
    }
    let rules = policy.rules(for: file, answer: outcome, source: result.finalURL)
    if let trouble, file == .robotsTxt { return failed(load, trouble, rules) }
    load.keep(rules)
    guard load.isComplete else { return fetchFiles(of: load.origin) }
    let answer = OriginStore.Answer(
      origin: load.origin, rules: load.rules, seconds: OriginBook.lifetime)
    // Kept before it is used: a process that ends early must not take its answer with it.
    if let store { store.keep(answer) } else { take(answer) }
  }

  private func failed(_ load: OriginLoad, _ trouble: OriginTrouble, _ rules: OriginRules) {
    loads[load.origin] = nil
    store?.giveUp(load.origin)
    let now = Clock.monotonic()
    let failures = origins.failed(load.origin) { count in
      let doublings = Double(sign: .plus, exponent: min(count - 1, 60), significand: 1)
      return now + min(options.backoffCap, options.backoffBase * doublings)
    }
    if !trouble.isOrigin, failures >= options.attempts {
      origins.learn(
        [rules], of: load.origin, until: now + Self.assumedFor, isAssumed: true)
    }
    let waiting = queue.takeAll(host: load.origin, now: now)
    for transfer in waiting {
      if transfer.batch.file != nil {  // of another origin, whose robots.txt is redirected here
        putFirst(transfer)
      } else if !transfer.batch.isOver {
        fail(transfer, trouble, rules, now)
      }
    }
  }

  /// Counts an attempt that came no further than robots.txt.
  private func fail(
    _ transfer: Transfer, _ trouble: OriginTrouble, _ rules: OriginRules, _ now: Double
  ) {
    if !transfer.isLookedUp { transfer.begin(now: now) }  // else counted when its lookup began
    if trouble.failure == .timeout { transfer.timeouts += 1 }
    if let delay = delay(after: transfer, trouble.failure, status: trouble.status, pause: nil) {
      return tryAgain(transfer, due: now + delay)
    }
    if !trouble.isOrigin,
      let evidence = policy.refusal(path: transfer.target.path, rules: [rules])
    {
      transfer.refusal = (evidence, isAssumed: true)
      let detail = "\(evidence.text); \(trouble.detail)"
      return end(transfer, failure: .robotsTxt, detail: detail, now: now)
    }
    end(transfer, failure: trouble.failure, detail: trouble.detail, now: now)
  }
}
