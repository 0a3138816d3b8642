import Glibc

/// How long the repetitions of one piece of work took.
struct Rounds {
  /// What passes while the work runs.
  enum Clock {
    case wall
    /// The time that all threads of this process spent on cores, unmoved by other programs' turns.
    case processor

    var unit: String { self == .wall ? "s" : "cpu_s" }

    /// Seconds since some fixed moment.
    var now: Double {
      var time = timespec()
      let result = unsafe clock_gettime(
        self == .wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time)
      precondition(result == 0, "clock_gettime: errno \(errno)")
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    func seconds(of work: () throws -> Void) rethrows -> Double {
      let start = now
      try work()
      return now - start
    }
  }

  var clock: Clock
  /// One value per round; at least one.
  var seconds: [Double]

  /// Runs `work` once to warm up and then `count` times.
  init(_ count: Int, clock: Clock, _ work: () throws -> Void) rethrows {
    try work()
    self.clock = clock
    seconds = []
    for _ in 0..<count { seconds.append(try clock.seconds(of: work)) }
  }

  init(clock: Clock, seconds: [Double]) {
    precondition(!seconds.isEmpty, "no round was timed")
    self.clock = clock
    self.seconds = seconds
  }

  /// The middle value; the mean of the two middle ones of an even number, as in Python's statistics.
  var median: Double {
    let sorted = seconds.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  var minimum: Double { seconds.reduce(.infinity, min) }
}
