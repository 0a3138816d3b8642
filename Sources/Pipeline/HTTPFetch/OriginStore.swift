import CrawlPolicy
import FoundationEssentials
import Glibc
import OriginLedger
import Synchronization

/// The thread that asks the cache of origins on disk, so that the loop never waits for a disk.
///
/// All that has come in between two turns is done in one transaction each for what is kept, freed
/// and asked. An origin that another process is getting is asked about again every 100 ms. When the
/// cache fails, origins count as unknown, so that each process asks them itself: `problem` says so.
final class OriginStore: Sendable {
  struct Answer: Sendable {
    var origin: String
    /// nil when this process is to fetch the files, and then to `keep` or to `giveUp`.
    var rules: [OriginRules]?
    /// How long the rules are good; seconds.
    var seconds: Double
  }

  private struct State {
    var asked: [String] = []
    var kept: [Answer] = []
    var givenUp: [String] = []
    var isClosed = false
    var problem: String?
  }

  private let ledger: OriginLedger
  private let wakeup: Wakeup
  private let state = Mutex(State())

  /// Opens the cache and starts the thread, which works until `close`.
  ///
  /// - Parameters:
  ///   - path: The cache's file.
  ///   - agentToken: By which rules are chosen: caches for others do not serve.
  ///   - answer: Called on the thread with each origin's answer.
  /// - Throws: `OriginLedgerError` or `FetcherError`.
  init(path: String, agentToken: String, answer: @escaping @Sendable (Answer) -> Void) throws {
    ledger = try OriginLedger(
      path: path, kind: "rules/\(OriginRules.formatVersion)/\(agentToken.lowercased())",
      now: Self.now())
    wakeup = try Wakeup()
    try LoopThread.start { self.run(answer) }
  }

  /// The first problem with the cache, if there was one.
  var problem: String? { state.withLock(\.problem) }

  func ask(_ origin: String) { post { $0.asked.append(origin) } }

  /// Keeps an answer, and gives it back when that is done.
  func keep(_ answer: Answer) { post { $0.kept.append(answer) } }

  func giveUp(_ origin: String) { post { $0.givenUp.append(origin) } }

  /// Ends the thread when it has kept what it was given.
  func close() { post { $0.isClosed = true } }

  private func post(_ change: (inout State) -> Void) {
    state.withLock { change(&$0) }
    wakeup.signal()
  }

  private func run(_ answer: (Answer) -> Void) {
    var waiting: [String] = []
    var claimed: Set<String> = []
    while true {
      var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
      _ = unsafe poll(&entry, 1, waiting.isEmpty ? -1 : 100)  // EINTR is one turn too many
      wakeup.clear()
      let work = state.withLock { state in
        defer { (state.asked, state.kept, state.givenUp) = ([], [], []) }
        return state
      }
      keep(work.kept)
      for kept in work.kept { answer(kept) }
      claimed.subtract(work.kept.map(\.origin))
      let free = work.isClosed ? Array(claimed.union(work.givenUp)) : work.givenUp
      note { () throws(OriginLedgerError) in if !free.isEmpty { try ledger.release(free) } }
      claimed.subtract(free)
      guard !work.isClosed else { return }
      waiting = claim(waiting + work.asked, &claimed, answer)
    }
  }

  private func keep(_ kept: [Answer]) {
    guard !kept.isEmpty else { return }
    let encoder = JSONEncoder()
    let entries = kept.map { entry -> (origin: String, content: [UInt8]) in
      do {
        return (entry.origin, [UInt8](try encoder.encode(entry.rules)))
      } catch {
        preconditionFailure("rules that are no JSON: \(error)")
      }
    }
    note { () throws(OriginLedgerError) in try ledger.store(entries, now: Self.now()) }
  }

  /// Answers all origins but those that others are getting, which are given back.
  private func claim(
    _ origins: [String], _ claimed: inout Set<String>, _ answer: (Answer) -> Void
  ) -> [String] {
    guard !origins.isEmpty else { return [] }
    let now = Self.now()
    var claims = [OriginLedger.Claim](repeating: .yours, count: origins.count)
    note { () throws(OriginLedgerError) in claims = try ledger.claim(origins, now: now) }
    var busy: [String] = []
    for (origin, claim) in zip(origins, claims) {
      switch claim {
      case .busy: busy.append(origin)
      case .yours:
        claimed.insert(origin)
        answer(Answer(origin: origin, rules: nil, seconds: 0))
      case .known(let content, let storedAt):
        let left = Double(OriginLedger.lifetime - (now - storedAt)) / 1000
        answer(Answer(origin: origin, rules: decode(content), seconds: left))
      }
    }
    return busy
  }

  private func decode(_ content: [UInt8]) -> [OriginRules]? {
    do {
      return try JSONDecoder().decode([OriginRules].self, from: Data(content))
    } catch {
      state.withLock { $0.problem = $0.problem ?? "\(ledger.path): \(error)" }
      return nil
    }
  }

  private func note(_ work: () throws(OriginLedgerError) -> Void) {
    do {
      try work()
    } catch {
      state.withLock { $0.problem = $0.problem ?? error.description }
    }
  }

  private static func now() -> Int { Int(Clock.wall() * 1000) }
}
