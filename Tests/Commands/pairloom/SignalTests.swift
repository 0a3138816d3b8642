import Foundation
import JobLedger
import Testing

/// SIGTERM and Ctrl-C: 143 and 130 within ten seconds, whatever is under way.
@Suite(.serialized) struct SignalTests {
  /// The promise, and a little for a machine that is busy with other tests.
  static let limit = 12.0
  static let chunkRows = 20

  /// Starts a command, waits until `isReady`, sends the signal, and waits for the end.
  ///
  /// - Returns: The decoders that it had when the signal came.
  @discardableResult
  private func stop(
    _ command: [String], in folder: String, by signal: Int32, or code: Int32,
    within seconds: Double = limit, before: (RunningProgram) throws -> Void = { _ in },
    when isReady: (RunningProgram) async throws -> Bool
  ) async throws -> [Int32] {
    let program = try RunningProgram(command, in: folder)
    var ready = false
    while program.isRunning {
      ready = try await isReady(program)
      if ready { break }
      usleep(2_000)
    }
    let early = ready ? nil : try program.end(within: 10)
    try #require(ready, "it ended before: \(early?.error ?? "")")
    try before(program)
    let decoders = try RunProcesses.decoders(of: program.identifier)
    let start = Date.now
    program.send(signal)
    let end = try program.end(within: 60)
    #expect(end?.status == code, "\(end?.error ?? "it still runs")")
    #expect(Date.now.timeIntervalSince(start) < seconds)
    #expect(RunProcesses.end(of: decoders, within: 10) == [])
    return decoders
  }

  private func opened(_ run: String) throws -> SQLiteLedger? {
    FileManager.default.fileExists(atPath: run + "/chunks/files.json")
      ? try SQLiteLedger(path: run + "/ledger.sqlite") : nil
  }

  @Test("downloads that hang are handed back, and a resume goes on at once", arguments: [0, 1])
  func downloads(kind: Int) async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try GatedWeb(rows: 100)
    let command = GatedWeb.command(
      try web.list(in: folder.path), run, chunkRows: Self.chunkRows)
    // Four chunks are asked for at a time, in any order: what waits at the gate must not take all the places
    // that a host has at first, or the first chunk would wait behind it.
    web.open(to: 60)
    let (signal, code): (Int32, Int32) = kind == 0 ? (SIGTERM, 143) : (SIGINT, 130)
    // The first chunk is through, and the fourth waits at the gate.
    try await stop(command, in: folder.path, by: signal, or: code) { _ in
      FileManager.default.fileExists(atPath: run + "/shards/00000.parquet") && web.waiting > 0
    }
    let fates = RunFates(run, rows: 100)
    #expect(try await fates.leased() == 0)
    #expect(try await fates.attempts()[.released]?.isEmpty == false)
    web.open(to: .max)
    let start = Date.now
    let resumed = try Program.run(command)
    #expect(resumed.status == 0, "\(resumed.error)")
    // Far less than the minute that a lease lasts.
    #expect(Date.now.timeIntervalSince(start) < 40)
    try fates.expectOneFateEach("")
    #expect(try await fates.attempts()[.ownerDied] == nil)
    #expect(try await fates.attempts()[.expired] == nil)
  }

  @Test("a decoder that hangs ends with the run")
  func decoder() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try GatedWeb(rows: 3_000)
    let command = GatedWeb.command(try web.list(in: folder.path), run, chunkRows: 200)
    var stopped: [Int32] = []
    let left = try await stop(command, in: folder.path, by: SIGTERM, or: 143) { program in
      // A stopped decoder is one that hangs; the run comes to wait for it.
      let patience = Date.now.addingTimeInterval(20)
      while stopped.isEmpty, Date.now < patience {
        stopped = try RunProcesses.decoders(of: program.identifier)
      }
      for decoder in stopped { kill(decoder, SIGSTOP) }
    } when: { _ in
      FileManager.default.fileExists(atPath: run + "/shards/00000.parquet")
    }
    #expect(!stopped.isEmpty && Set(stopped).isSubset(of: left))
    #expect(try await RunFates(run, rows: 0).leased() == 0)
  }

  @Test("the reading of a long list ends in its midst")
  func ingest() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let list = folder.path + "/list.csv"
    var text = "url,caption\n"
    for row in 0..<1_000_000 { text += "http://127.0.0.1:9/\(row).jpg,caption \(row)\n" }
    try text.write(toFile: list, atomically: false, encoding: .utf8)
    let command = [
      "run", "urls", "--folder", run, "--set", "input=\(list)", "--set",
      "allow_addresses=127.0.0.0/8",
    ]
    try await stop(command, in: folder.path, by: SIGTERM, or: 143) { _ in
      guard FileManager.default.fileExists(atPath: run + "/chunks") else { return false }
      return try await SQLiteLedger(path: run + "/ledger.sqlite").tally()["ingest"]?[.leased] == 1
    }
    #expect(try await RunFates(run, rows: 0).leased() == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run + "/chunks").filter {
        $0.hasSuffix(".tmp")
      } == [])
  }

  @Test("a retry is stopped in order, and the same command ends it")
  func retry() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try GatedWeb(rows: 60)
    let command = GatedWeb.command(
      try web.list(in: folder.path), run, chunkRows: Self.chunkRows)
    #expect(try Program.run(command).status == 0)
    web.open(to: 0)
    let retry = ["retry", run, "--where", "status = 404 or status = 503"]
    try await stop(retry, in: folder.path, by: SIGINT, or: 130) { _ in web.waiting > 0 }
    let fates = RunFates(run, rows: 60)
    #expect(try await fates.leased() == 0)
    web.open(to: .max)
    let ended = try Program.run(["retry", run])
    #expect(ended.status == 0, "\(ended.error)")
    #expect(ended.error.contains("was interrupted; it goes on"))
    try fates.expectNoOrphans("")
  }

  /// A pipe without a writer: who opens it waits, and no cancellation reaches him.
  private func pipe(at path: String) throws {
    try? FileManager.default.removeItem(atPath: path)  // what it takes the place of
    try #require(mkfifo(path, 0o600) == 0)
  }

  @Test(
    "what cannot be called off is left behind after nine seconds; a second signal leaves at once")
  func lastResort() async throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/list.csv"
    let command = [
      "run", "urls", "--folder", folder.path + "/run", "--set", "input=\(list)",
    ]
    try pipe(at: list)
    let start = Date.now
    try await stop(command, in: folder.path, by: SIGTERM, or: 143) {
      RunProcesses.heeds(SIGTERM, $0.identifier)
    }
    #expect(Date.now.timeIntervalSince(start) > 5, "it was called off, so this shows nothing")
    try await stop(
      command, in: folder.path, by: SIGINT, or: 130, within: 3,
      before: {
        $0.send(SIGINT)
        // Sooner it would be the same request: timeout(1) signals a process and its group.
        usleep(100_000)
      }, when: { RunProcesses.heeds(SIGINT, $0.identifier) })
  }

  @Test("verify and reshard leave at once")
  func maintenance() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try GatedWeb(rows: 40)
    let list = try web.list(in: folder.path)
    #expect(
      try Program.run(GatedWeb.command(list, run, chunkRows: Self.chunkRows)).status == 0)
    let shard = run + "/shards/00000.tar.lz4"
    for (signal, code) in [(SIGTERM, Int32(143)), (SIGINT, 130)] {
      for command in [
        ["verify", run], ["reshard", shard, "--out", folder.path + "/out"],
      ] {
        try pipe(at: shard)
        try await stop(command, in: folder.path, by: signal, or: code, within: 3) {
          RunProcesses.heeds(signal, $0.identifier)
        }
      }
    }
  }
}
