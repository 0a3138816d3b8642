import CrawlPolicy

/// Which transfers may start now, and how they do.
extension FetchLoop {
  func startWhatMay(now: Double, _ multi: CurlMulti) {
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
    if manners.isAway(url, now: now) { return .drop }
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
    let admission = manners.admit(url, crawlDelay: crawlDelay, now: Clock.monotonic())
    transfer.hasPlace = admission == .start
    return admission
  }

  /// Ends a transfer that `admit` dropped.
  func refuse(_ transfer: Transfer, now: Double) {
    guard !transfer.batch.isOver else { return }
    if let evidence = transfer.refusal?.evidence {
      end(transfer, failure: FetchFailure(evidence.rule), detail: evidence.text, now: now)
    } else if let (failure, status, detail) = manners.refusal(of: transfer.target, now: now) {
      if let status { transfer.status = status }
      end(transfer, failure: failure, detail: detail, now: now)
    } else {
      putFirst(transfer)
    }
  }

  /// Asks the user's own lists of hosts about a transfer's target, and ends the transfer if they
  /// refuse it.
  func isHostAllowed(_ transfer: Transfer) -> Bool {
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
  func takeLookups(now: Double, _ multi: CurlMulti) {
    for (transfer, answer) in lookups.take(now: now).reversed() {
      guard case .addresses = answer else {
        connect(transfer, answer, now: now, multi)
        continue
      }
      transfer.lookupSeconds = now - transfer.exchangeBegan
      transfer.timeLeft -= transfer.lookupSeconds
      transfer.isLookedUp = true
      leave(transfer, now: now)
      putFirst(transfer)
    }
  }

  /// Starts an exchange with a host whose name was looked up, or is an address.
  private func connect(
    _ transfer: Transfer, _ answer: HostAnswer, now: Double, _ multi: CurlMulti
  ) {
    guard !transfer.batch.isOver else { return leave(transfer, now: now) }
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
      leave(transfer, now: now)
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
}
