import Synchronization

/// Takes the pairs that one thread finds: counts them by distance, or hands them on in batches.
final class PairSink: @unchecked Sendable {
  // Sendable: one thread at a time uses a sink; the stop that all share is a mutex.
  typealias Receiver = @Sendable (_ pairs: [HammingPair]) throws -> Void

  private let groups: EqualWords
  private let found: Receiver?
  private let stop: JoinStop
  private(set) var counts: [Int]
  private var batch: [HammingPair] = []

  /// Pairs in a batch: 96 kB.
  private static let batchCount = 8192

  /// - Parameters:
  ///   - radius: The largest distance.
  ///   - groups: Of what the elements stand for.
  ///   - found: Given batches of pairs; nil to count them.
  ///   - stop: Set by the first error of `found`.
  init(radius: Int, groups: EqualWords, found: Receiver?, stop: JoinStop) {
    self.groups = groups
    self.found = found
    self.stop = stop
    counts = [Int](repeating: 0, count: radius + 1)
    if found != nil { batch.reserveCapacity(Self.batchCount) }
  }

  var isStopped: Bool { stop.isStopped }

  /// Adds every pair of a word that `first` stands for with one that `second` stands for.
  func add(_ first: JoinElement, _ second: JoinElement, distance: Int) {
    guard found != nil else {
      counts[distance] += groups.multiplicity(of: first) * groups.multiplicity(of: second)
      return
    }
    if first.group == JoinElement.alone, second.group == JoinElement.alone {
      return append(first.first, second.first, distance)
    }
    for one in places(of: first) {
      for other in places(of: second) { append(one, other, distance) }
      if isStopped { return }
    }
  }

  /// Adds the pairs of equal words.
  func addPairs(ofGroup group: Int) {
    let members = groups.members(of: group)
    guard found != nil else {
      counts[0] += members.count * (members.count - 1) / 2
      return
    }
    for first in members {
      for second in first + 1..<members.upperBound {
        append(groups.members[first], groups.members[second], 0)
      }
      if isStopped { return }
    }
  }

  /// Hands on what is left.
  func flush() {
    guard let found, !batch.isEmpty else { return }
    if !isStopped { stop.attempt { try found(batch) } }
    batch.removeAll(keepingCapacity: true)
  }

  private func places(of element: JoinElement) -> ArraySlice<UInt32> {
    element.group == JoinElement.alone
      ? [element.first] : groups.members[groups.members(of: Int(element.group))]
  }

  private func append(_ one: UInt32, _ other: UInt32, _ distance: Int) {
    batch.append(
      HammingPair(
        first: min(one, other), second: max(one, other), distance: UInt8(distance)))
    if batch.count == Self.batchCount { flush() }
  }
}

/// The first error of any thread, which ends the work of all.
final class JoinStop: Sendable {
  private let stopped = Atomic(false)
  private let failure = Mutex<(any Error)?>(nil)

  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Runs `body` and keeps its error, if it is the first.
  func attempt(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      failure.withLock { $0 = $0 ?? error }
      stopped.store(true, ordering: .relaxed)
    }
  }

  func rethrow() throws {
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
