import HTTPFetch
import Testing

@Suite struct HostQueueTests {
  /// Takes all that may start now.
  func drain(_ queue: HostQueue<Int>, now: Double = 0) -> [Int] {
    var taken: [Int] = []
    while let next = queue.next(now: now) { taken.append(next.item) }
    return taken
  }

  @Test("hosts take turns, and each keeps its order")
  func turns() {
    let queue = HostQueue<Int>(connectionsPerHost: 100)
    for item in 0..<5 { queue.add(item, host: "a") }
    queue.add(10, host: "b")
    queue.add(20, host: "c")
    queue.add(21, host: "c")
    #expect(drain(queue) == [0, 10, 20, 1, 21, 2, 3, 4])
  }

  @Test("a host at its limit waits for one of its own to finish; others go on")
  func limit() {
    let queue = HostQueue<Int>(connectionsPerHost: 2)
    for item in 0..<4 { queue.add(item, host: "a") }
    queue.add(10, host: "b")
    #expect(drain(queue) == [0, 10, 1])
    queue.finish(host: "b", now: 0)
    #expect(drain(queue) == [])
    queue.finish(host: "a", now: 0)
    #expect(drain(queue) == [2])
  }

  @Test("a pause holds its host back until its end, and is never shortened")
  func pause() {
    let queue = HostQueue<Int>(connectionsPerHost: 9)
    for item in 0..<3 { queue.add(item, host: "a") }
    queue.add(10, host: "b")
    queue.pause(host: "a", until: 5)
    queue.pause(host: "a", until: 3)
    #expect(queue.nextWake == 5)
    #expect(drain(queue, now: 4.9) == [10])
    #expect(drain(queue, now: 5) == [0, 1, 2])
  }

  @Test("a pause made longer holds to its later end")
  func longerPause() {
    let queue = HostQueue<Int>(connectionsPerHost: 9)
    queue.pause(host: "a", until: 3)
    queue.pause(host: "a", until: 6)
    queue.add(0, host: "a")
    #expect(drain(queue, now: 3) == [])
    #expect(queue.nextWake == 6)
    #expect(drain(queue, now: 6) == [0])
  }

  @Test("an item put first goes before those that wait")
  func first() {
    let queue = HostQueue<Int>(connectionsPerHost: 9)
    queue.add(0, host: "a")
    queue.add(1, host: "a")
    queue.add(2, host: "a", first: true)
    #expect(drain(queue) == [2, 0, 1])
  }

  @Test("an item is dropped, put off or put to sleep as its admission says; other hosts go on")
  func admission() {
    let queue = HostQueue<Int>(connectionsPerHost: 9)
    for item in 0..<4 { queue.add(item, host: "a") }
    for item in 10..<12 { queue.add(item, host: "b") }
    var verdicts: [Int: Admission] = [0: .drop, 1: .wait(until: 5), 10: .sleep]
    func all(now: Double) -> [Int] {
      var taken: [Int] = []
      while let next = queue.next(now: now, admit: { verdicts[$0] ?? .start }) {
        #expect(next.starts == (verdicts[next.item] != .drop))
        taken.append(next.item)
      }
      return taken
    }
    #expect(all(now: 0) == [0])
    #expect(queue.nextWake == 5)
    verdicts = [:]
    #expect(all(now: 4) == [])
    #expect(all(now: 5) == [1, 2, 3])
    queue.wake(host: "b")
    #expect(all(now: 5) == [10, 11])
  }

  @Test("what comes first at a sleeping host is asked about")
  func firstWakes() {
    let queue = HostQueue<Int>(connectionsPerHost: 9)
    queue.add(0, host: "a")
    let sleepy: (Int) -> Admission = { $0 == 0 ? .sleep : .start }
    #expect(queue.next(now: 0, admit: sleepy) == nil)
    queue.add(1, host: "a")
    #expect(queue.next(now: 0, admit: sleepy) == nil)
    queue.add(2, host: "a", first: true)
    #expect(queue.next(now: 0, admit: sleepy)?.item == 2)
    #expect(queue.next(now: 0, admit: sleepy) == nil)
    #expect(queue.takeAll(host: "a", now: 0) == [0, 1])
    // 2 keeps the host alive, which is awake for what comes later.
    queue.add(3, host: "a")
    #expect(queue.next(now: 0, admit: sleepy)?.item == 3)
    for _ in 0..<2 { queue.finish(host: "a", now: 0) }
    #expect(queue.hostCount == 0)
  }

  @Test("a host is forgotten when it has nothing waiting, active or paused")
  func forgets() {
    let queue = HostQueue<Int>(connectionsPerHost: 1)
    for item in 0..<500 { queue.add(item, host: "host \(item)") }
    queue.pause(host: "host 7", until: 9)
    for item in drain(queue) { queue.finish(host: "host \(item)", now: 0) }
    #expect(queue.hostCount == 1)
    #expect(drain(queue, now: 9) == [7])
    queue.finish(host: "host 7", now: 9)
    #expect(queue.hostCount == 0)
    #expect(queue.nextWake == nil)
  }

  @Test("no schedule breaks a limit or loses an item", arguments: 0..<20)
  func property(seed: UInt64) {
    var random = SplitMix(state: seed)
    let limit = Int.random(in: 1...3, using: &random)
    let queue = HostQueue<Int>(connectionsPerHost: limit)
    var (added, taken) = (0, Set<Int>())
    var active: [String: Int] = [:]
    var pausedUntil: [String: Double] = [:]
    for step in 0..<2000 {
      let host = "h\(Int.random(in: 0..<6, using: &random))"
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1:
        queue.add(added, host: host, first: Bool.random(using: &random))
        added += 1
      case 2 where step % 10 == 0:
        let until = Double(step + Int.random(in: 0..<50, using: &random))
        queue.pause(host: host, until: until)
        pausedUntil[host] = max(until, pausedUntil[host] ?? 0)
      case 3, 4:
        guard active[host, default: 0] > 0 else { continue }
        active[host, default: 0] -= 1
        queue.finish(host: host, now: Double(step))
      default:
        guard let next = queue.next(now: Double(step)) else { continue }
        active[next.host, default: 0] += 1
        #expect(active[next.host, default: 0] <= limit)
        #expect(pausedUntil[next.host, default: 0] <= Double(step))
        #expect(taken.insert(next.item).inserted)
      }
    }
    for (host, count) in active {
      for _ in 0..<count { queue.finish(host: host, now: 3000) }
    }
    while let next = queue.next(now: 3000) {
      taken.insert(next.item)
      queue.finish(host: next.host, now: 3000)
    }
    #expect(taken.count == added)
    #expect(queue.hostCount == 0)
  }

  @Test("a timer heap gives values in the order of their times, none too early")
  func heap() {
    var random = SplitMix(state: 1)
    var heap = TimerHeap<Double>()
    let times = (0..<300).map { _ in Double(Int.random(in: 0..<100, using: &random)) }
    for time in times { heap.add(time, due: time) }
    #expect(heap.nextDue == times.min())
    var taken: [Double] = []
    while let value = heap.take(dueBy: 50) { taken.append(value) }
    #expect(taken == times.filter { $0 <= 50 }.sorted())
    let late = heap.takeAll { $0 > 90 }
    #expect(late.sorted() == times.filter { $0 > 90 }.sorted())
    taken += times.filter { $0 > 90 }
    while let value = heap.take(dueBy: 1000) { taken.append(value) }
    #expect(taken.sorted() == times.sorted())
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
