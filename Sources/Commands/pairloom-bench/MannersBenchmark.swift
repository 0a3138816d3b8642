import ArgumentParser
import HTTPFetch
import PipelineCore

/// `manners`: whether several processes together keep a host's rate.
struct MannersBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manners",
    abstract: "Ask one host from several processes under one cap.",
    discussion: """
      Prints cap, the requests that a host allows in 10 s, and most_in_10_s, the most that the server \
      saw in any window of 10 s; the median is how long the requests took in all.
      """)

  @Option(help: "Requests per second.")
  var rate = 20

  @Option(help: "Processes.")
  var processes = 4

  @Option(help: .hidden)
  var port: Int?

  @Option(help: .hidden)
  var folder: String?

  /// Enough for windows of 10 s that neither begin nor end with the requests.
  private static let seconds = 14
  private static let window = 10.0

  func validate() throws {
    try requirePositive(rate, "--rate")
    try requirePositive(processes, "--processes")
  }

  func run() async throws {
    if let port, let folder { return try await fetch(from: port, sharing: folder) }
    let temporary = try TemporaryFolder()
    defer { temporary.remove() }
    let server = try BenchServer()
    let start = Rounds.Clock.wall.now
    let children = try (0..<processes).map { _ in
      try ChildProcess([
        "manners", "--rate", "\(rate)", "--processes", "\(processes)", "--port", "\(server.port)",
        "--folder", temporary.path,
      ])
    }
    for child in children { try child.requireSuccess() }
    let seconds = Rounds.Clock.wall.now - start
    Figure(
      name: "manners",
      values: [
        .init("processes", .int(processes)), .init("requests", .int(server.arrivals.count)),
        .init("cap", .int(rate * Int(Self.window))),
        .init("most_in_10_s", .int(Self.most(of: server.arrivals, within: Self.window))),
      ], threads: 1, rounds: Rounds(clock: .wall, seconds: [seconds])
    ).print()
  }

  private func fetch(from port: Int, sharing folder: String) async throws {
    let count = rate * Self.seconds / processes
    try await LoopbackFetch.run(
      count, port: port,
      options: LoopbackFetch.options {
        $0.requestsPerSecondPerHost = Double(rate)
        $0.sharedRates = folder + "/rates.map"
        $0.sharedHosts = folder + "/hosts.map"
      })
  }

  /// The most times within any window of so many seconds.
  private static func most(of times: [Double], within seconds: Double) -> Int {
    let times = times.sorted()
    var first = 0
    return times.indices.reduce(0) { most, last in
      while times[last] - times[first] >= seconds { first += 1 }
      return max(most, last - first + 1)
    }
  }
}
