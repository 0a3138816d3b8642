/// What becomes of the item whose turn it is.
package enum Admission: Equatable {
  case start
  /// It does not start; whoever asked for it is told so.
  case drop
  /// Its host waits until then.
  case wait(until: Double)
  /// Its host waits to be woken.
  case sleep
}

/// What waits to be sent, by host: fair between hosts, bounded per host, in order within one.
///
/// Hosts take turns, one item each, so a list that names one host a thousand times in a row does not
/// keep the others waiting. A host at its limit or in a pause is passed over. Time comes in as a
/// parameter; every operation is O(1), or O(log n) in the hosts that pause.
package final class HostQueue<Item> {
  private final class Host {
    /// Items that go before all others: a stack.
    var urgent: [Item] = []
    /// Items put back in front: a stack.
    var returned: [Item] = []
    var waiting: [Item] = []
    /// Items of `waiting` before this index were taken.
    var head = 0
    var active = 0
    var pausedUntil = -Double.infinity
    var isAsleep = false
    var hasTurn = false

    var isEmpty: Bool { urgent.isEmpty && returned.isEmpty && head == waiting.count }

    var waitingCount: Int { urgent.count + returned.count + waiting.count - head }

    var next: Item? {
      urgent.last ?? returned.last ?? (head < waiting.count ? waiting[head] : nil)
    }

    func take() -> Item? {
      if let item = urgent.popLast() ?? returned.popLast() { return item }
      guard head < waiting.count else { return nil }
      let item = waiting[head]
      head += 1
      // Each item is moved at most once per halving, so taking stays O(1) on average.
      if head >= 32, head * 2 >= waiting.count {
        waiting.removeFirst(head)
        head = 0
      }
      return item
    }
  }

  private let limit: Int
  private var hosts: [String: Host] = [:]
  private var turns: [String] = []
  private var turnsHead = 0
  private var pauses = TimerHeap<String>()

  /// - Parameter connectionsPerHost: The most items of a host between `next` and `finish`.
  package init(connectionsPerHost: Int) {
    precondition(connectionsPerHost > 0, "connectionsPerHost is \(connectionsPerHost)")
    self.limit = connectionsPerHost
  }

  /// Hosts that are remembered: those with items, with active items, or in a pause.
  package var hostCount: Int { hosts.count }

  /// When the next pause ends, or nil when no host pauses.
  package var nextWake: Double? { pauses.nextDue }

  /// Puts an item behind those of its host, or before them.
  ///
  /// - Parameters:
  ///   - item: What waits.
  ///   - name: Its host.
  ///   - first: Whether it goes before those that wait, as a redirect's next hop does.
  ///   - urgent: Whether it goes before those as well, as what they wait for does.
  package func add(
    _ item: Item, host name: String, first: Bool = false, urgent: Bool = false
  ) {
    let host = host(named: name)
    if first || urgent {
      if urgent { host.urgent.append(item) } else { host.returned.append(item) }
      host.isAsleep = false  // this one was not asked about
    } else {
      host.waiting.append(item)
    }
    giveTurn(host, name)
  }

  /// How many more items wait at a host than it has free places.
  package func backlog(of name: String) -> Int {
    guard let host = hosts[name] else { return 0 }
    return host.waitingCount - (limit - host.active)
  }

  /// Lets a host go on that `admit` sent to sleep; one that is awake is left as it is.
  package func wake(host name: String) {
    guard let host = hosts[name] else { return }
    host.isAsleep = false
    giveTurn(host, name)
  }

  /// Takes out all that waits at a host, in order; what is added later is asked about.
  package func takeAll(host name: String, now: Double) -> [Item] {
    guard let host = hosts[name] else { return [] }
    var items: [Item] = []
    while let item = host.take() { items.append(item) }
    host.isAsleep = false
    forgetIfIdle(host, name, now: now)
    return items
  }

  /// Takes the next item that may start now; it counts against its host until `finish`.
  ///
  /// - Parameters:
  ///   - now: Seconds.
  ///   - admit: Asked about an item when nothing here holds it back.
  /// - Returns: The item and its host. One that is not to start was dropped by `admit`, and does
  ///   not count.
  package func next(
    now: Double, admit: (Item) -> Admission = { _ in .start }
  ) -> (item: Item, host: String, starts: Bool)? {
    endPauses(now: now)
    while turnsHead < turns.count {
      let name = turns[turnsHead]
      turnsHead += 1
      if turnsHead >= 32, turnsHead * 2 >= turns.count {
        turns.removeFirst(turnsHead)
        turnsHead = 0
      }
      guard let host = hosts[name] else { continue }
      host.hasTurn = false
      // A paused host drops out here; the end of its pause gives it a turn again.
      guard host.active < limit, host.pausedUntil <= now, !host.isAsleep, let item = host.next
      else { continue }
      switch admit(item) {
      case .start:
        _ = host.take()
        host.active += 1
        giveTurn(host, name)
        return (item, name, true)
      case .drop:
        _ = host.take()
        giveTurn(host, name)
        forgetIfIdle(host, name, now: now)
        return (item, name, false)
      case .wait(let until): pause(host: name, until: max(until, now.nextUp))
      case .sleep: host.isAsleep = true
      }
    }
    return nil
  }

  /// Frees the place of an item that `next` gave out.
  package func finish(host name: String, now: Double) {
    guard let host = hosts[name], host.active > 0 else {
      preconditionFailure("finish without next for \(name)")
    }
    host.active -= 1
    giveTurn(host, name)
    forgetIfIdle(host, name, now: now)
  }

  /// Starts nothing of this host before `until`; a pause is never shortened.
  package func pause(host name: String, until: Double) {
    let host = host(named: name)
    guard until > host.pausedUntil else { return }
    host.pausedUntil = until
    pauses.add(name, due: until)
  }

  /// Lets hosts go on whose pause is over; `next` does it too.
  package func endPauses(now: Double) {
    while let name = pauses.take(dueBy: now) {
      guard let host = hosts[name] else { continue }
      giveTurn(host, name)
      forgetIfIdle(host, name, now: now)
    }
  }

  private func host(named name: String) -> Host {
    if let host = hosts[name] { return host }
    let host = Host()
    hosts[name] = host
    return host
  }

  private func giveTurn(_ host: Host, _ name: String) {
    guard !host.hasTurn, !host.isAsleep, !host.isEmpty, host.active < limit else { return }
    host.hasTurn = true
    turns.append(name)
  }

  private func forgetIfIdle(_ host: Host, _ name: String, now: Double) {
    if host.isEmpty, host.active == 0, host.pausedUntil <= now { hosts[name] = nil }
  }
}
