import HTTPFetch
import SeededRandom
import Testing

/// A network of our own making: what `n` transfers at a time bring per second.
private struct SimulatedNetwork {
  /// Answers per second that it can carry, whatever is asked.
  var capacity: Double
  /// Seconds that an answer takes on an idle network.
  var latency: Double
  /// Transfers from which on a share of the exchanges fails, more with each.
  var breakingPoint = Int.max
  /// The share that fails anyway.
  var deadShare = 0.0

  func second(with transfers: Int) -> (answers: Double, failures: Double) {
    let total = min(Double(transfers) / latency, capacity)
    let excess = max(0, Double(transfers - min(breakingPoint, transfers)) / Double(transfers))
    let failing = min(1, deadShare + excess)
    return (total * (1 - failing), total * failing)
  }
}

@Suite struct ConcurrencyControlTests {
  /// Runs for some seconds; the mean answers per second and mean level of the second half.
  private func run(
    _ control: inout ConcurrencyControl, _ network: SimulatedNetwork, from start: Int = 0,
    seconds: Int, isFull: Bool = true
  ) -> (goodput: Double, level: Double) {
    var random = RandomStream(seed: 7)
    var (goodput, level, counted) = (0.0, 0.0, 0.0)
    for second in start..<start + seconds {
      control.adjust(now: Double(second), isFull: isFull)
      let (answers, failures) = network.second(with: control.limit)
      // Measured goodput is never smooth: ±5 %.
      let noisy = answers * Double.random(in: 0.95...1.05, using: &random)
      for _ in 0..<Int(noisy) { control.answered() }
      for _ in 0..<Int(failures) { control.failed() }
      if second >= start + seconds / 2 {
        (goodput, level, counted) = (goodput + answers, level + Double(control.limit), counted + 1)
      }
    }
    return (goodput / counted, level / counted)
  }

  @Test(
    "the level rises to where the network is full, and not far beyond",
    arguments: [(2000.0, 0.2), (500, 1.0), (3000, 0.3), (200, 0.1)])
  func climbs(capacity: Double, latency: Double) {
    var control = ConcurrencyControl(least: 16, most: 5000)
    let network = SimulatedNetwork(capacity: capacity, latency: latency)
    let (goodput, level) = run(&control, network, seconds: 200)
    let knee = capacity * latency
    // Levels step by a half, so that the one before the step that did not pay may lie as low.
    #expect(goodput > 0.85 * capacity, "goodput \(goodput), level \(level), knee \(knee)")
    #expect(level < 2.5 * max(knee, 16), "level \(level), knee \(knee)")
  }

  @Test("a network that breaks under load is not broken")
  func collapse() {
    var control = ConcurrencyControl(least: 16, most: 5000)
    let network = SimulatedNetwork(capacity: .infinity, latency: 1, breakingPoint: 400)
    let (goodput, level) = run(&control, network, seconds: 300)
    #expect(goodput > 250, "400 is the most that can be had; level \(level)")
    #expect(level < 600)
  }

  @Test("failures that the list brings with it do not lower the level")
  func deadLinks() {
    var control = ConcurrencyControl(least: 16, most: 5000)
    let network = SimulatedNetwork(capacity: 1000, latency: 0.5, deadShare: 0.2)
    #expect(run(&control, network, seconds: 200).goodput > 0.85 * 800)
  }

  @Test("the level follows a network that grows or shrinks")
  func follows() {
    var control = ConcurrencyControl(least: 16, most: 5000)
    var network = SimulatedNetwork(capacity: 300, latency: 0.5)
    _ = run(&control, network, seconds: 200)
    network.capacity = 2000
    let grown = run(&control, network, from: 200, seconds: 400)
    #expect(grown.goodput > 0.8 * 2000, "level \(grown.level)")
    network.capacity = 300
    let shrunk = run(&control, network, from: 600, seconds: 600)
    #expect(shrunk.goodput > 0.8 * 300 && shrunk.level < grown.level, "level \(shrunk.level)")
  }

  @Test("without work the level stays; it keeps within its range")
  func bounds() {
    var control = ConcurrencyControl(least: 16, most: 100)
    #expect(control.limit == 64)
    let fast = SimulatedNetwork(capacity: .infinity, latency: 1)
    _ = run(&control, fast, seconds: 100, isFull: false)
    #expect(control.limit == 64)
    _ = run(&control, fast, from: 100, seconds: 100)
    // The last step to the most is too small to show; from there a fifth less is a probe.
    #expect((96 * 4 / 5...100).contains(control.limit), "level \(control.limit)")
    let dead = SimulatedNetwork(capacity: 100, latency: 1, deadShare: 1)
    for second in 200..<230 {
      control.adjust(now: Double(second), isFull: true)
      #expect(control.limit >= 16)
      for _ in 0..<Int(dead.capacity) { control.failed() }
    }
    #expect(control.limit < 64)
    #expect(ConcurrencyControl(least: 16, most: 5).limit == 5)
  }
}
