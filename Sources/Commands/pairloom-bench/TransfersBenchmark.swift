import ArgumentParser
import Foundation
import HTTPFetch
import PipelineCore

/// `transfers`: how much memory a process takes that has thousands of transfers open at once.
struct TransfersBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfers",
    abstract: "Open many transfers at once in one process.",
    discussion: """
      Prints open and peak_mb, the most memory that the fetching process has had. The server, in \
      another process, answers nobody before all have asked, so that all were open.
      """)

  @Option(help: "Transfers.")
  var transfers = 5000

  @Option(help: .hidden)
  var port: Int?

  func validate() throws { try requirePositive(transfers, "--transfers") }

  func run() async throws {
    if let port { return try await fetch(from: port) }
    let server = try BenchServer(holding: transfers)
    try ChildProcess([
      "transfers", "--transfers", "\(transfers)", "--port", "\(server.port)",
    ]).requireSuccess()
  }

  private func fetch(from port: Int) async throws {
    let start = Rounds.Clock.processor.now
    try await LoopbackFetch.run(
      transfers, port: port,
      options: LoopbackFetch.options {
        $0.concurrency = transfers
        $0.minConcurrency = transfers
        $0.connectionsPerHost = transfers
      })
    let seconds = Rounds.Clock.processor.now - start
    Figure(
      name: "transfers",
      values: [
        .init("open", .int(transfers)),
        .init("peak_mb", .rounded(try ProcessMemory.megabytes("VmHWM"))),
      ],
      threads: 1, rounds: Rounds(clock: .processor, seconds: [seconds])
    ).print()
  }
}
