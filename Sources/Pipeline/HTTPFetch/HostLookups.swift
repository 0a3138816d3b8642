/// Who waits for which name, on the loop's side of the resolver's threads.
///
/// A name that several wait for is looked up once. A waiter whose time is up gets a failure, while
/// its lookup goes on for those that come later. Time comes in as a parameter.
final class HostLookups<Waiter> {
  private final class Waiting {
    var waiter: Waiter?
    init(_ waiter: Waiter) { self.waiter = waiter }
  }

  private let pool: ResolverPool
  private var cache = AddressCache()
  /// The names under way and who waits for each, those whose time was up included.
  private var waiting: [String: [Waiting]] = [:]
  private var deadlines = TimerHeap<Waiting>()

  /// Waiters without an answer.
  private(set) var count = 0

  init(pool: ResolverPool) { self.pool = pool }

  deinit { pool.close() }

  var nextDue: Double? { deadlines.nextDue }

  /// The answer, when it is known already.
  func known(_ name: String, now: Double) -> HostAnswer? {
    SpecialName.answer(name) ?? cache.answer(for: name, now: now)?.answer
  }

  /// Seconds until a failure of this name is forgotten, so that another lookup makes sense.
  func pause(after name: String, now: Double) -> Double {
    guard let entry = cache.answer(for: name, now: now), case .failed = entry.answer else {
      return 0
    }
    return entry.until - now
  }

  /// Asks for a name that `known` did not know; `take` gives the waiter back.
  ///
  /// - Parameters:
  ///   - waiter: Given back with the answer.
  ///   - name: The name to look up.
  ///   - deadline: When it is given back at the latest, monotonic seconds.
  func wait(_ waiter: Waiter, for name: String, deadline: Double) {
    let entry = Waiting(waiter)
    count += 1
    deadlines.add(entry, due: deadline)
    if waiting[name] == nil { pool.lookUp(name) }
    waiting[name, default: []].append(entry)
  }

  /// The waiters whose answers have come, and those whose time is up.
  func take(now: Double) -> [(waiter: Waiter, answer: HostAnswer)] {
    guard !waiting.isEmpty else { return [] }
    var result: [(Waiter, HostAnswer)] = []
    for answer in pool.take() {
      cache.keep(answer.answer, for: answer.name, now: now)
      for entry in waiting.removeValue(forKey: answer.name) ?? [] {
        give(entry, answer.answer, &result)
      }
    }
    while let entry = deadlines.take(dueBy: now) {
      give(entry, .failed("no answer from the resolver in time"), &result)
    }
    return result
  }

  private func give(_ entry: Waiting, _ answer: HostAnswer, _ result: inout [(Waiter, HostAnswer)])
  {
    guard let waiter = entry.waiter else { return }
    entry.waiter = nil
    count -= 1
    result.append((waiter, answer))
  }
}
