import Foundation
import JobLedger
import Testing

/// Several `pairloom run` on one folder of one host.
@Suite(.serialized) struct CooperationTests {
  static let rows = 240
  static let chunkRows = 12

  @Test("three started at once on a folder that is not there end with the bytes of one")
  func together() throws {
    let folder = try TemporaryFolder()
    let web = try GatedWeb(rows: Self.rows)
    let list = try web.list(in: folder.path)
    let calm = folder.path + "/calm"
    #expect(
      try Program.run(GatedWeb.command(list, calm, chunkRows: Self.chunkRows)).status == 0)
    for round in 0..<4 {
      let run = folder.path + "/run-\(round)"
      let command = GatedWeb.command(list, run, chunkRows: Self.chunkRows)
      let programs = try (0..<3).map { _ in try RunningProgram(command, in: folder.path) }
      for program in programs {
        let end = try program.end(within: 120)
        #expect(end?.status == 0, "\(end?.error ?? "it still runs")")
      }
      let fates = RunFates(run, rows: Self.rows)
      try fates.expectBytes(of: calm, "round \(round)")
      try fates.expectOneFateEach("round \(round)")
      try fates.expectNoOrphans("round \(round)")
    }
  }

  @Test("one with other options is refused, and the others go on")
  func otherOptions() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let web = try GatedWeb(rows: Self.rows)
    let list = try web.list(in: folder.path)
    web.open(to: 30)
    let programs = try (0..<2).map { _ in
      try RunningProgram(
        GatedWeb.command(list, run, chunkRows: Self.chunkRows), in: folder.path)
    }
    #expect(try programs[0].wait { web.waiting > 0 })
    let other = try Program.run(
      GatedWeb.command(list, run, chunkRows: Self.chunkRows, ["image_size=24"]))
    #expect(other.status == 2, "\(other.error)")
    #expect(other.error.contains("image_size: was 32, now 24"), "\(other.error)")
    web.open(to: .max)
    for program in programs {
      let end = try program.end(within: 120)
      #expect(end?.status == 0, "\(end?.error ?? "it still runs")")
    }
    try RunFates(run, rows: Self.rows).expectOneFateEach("")
  }

  /// Requests that may be open at the host.
  static let places = 8
  /// Milliseconds of a lease in the tests of those that are overstayed.
  static let lease = 1_500

  @Test("one stopped past its lease is taken over; continued, its late results are fenced off")
  func stopped() async throws {
    let folder = try TemporaryFolder()
    let (calm, run) = (folder.path + "/calm", folder.path + "/run")
    let web = try GatedWeb(rows: Self.rows)
    let list = try web.list(in: folder.path)
    let first = GatedWeb.command(list, calm, chunkRows: Self.chunkRows)
    #expect(try Program.run(first).status == 0)

    let command = GatedWeb.command(
      list, run, chunkRows: Self.chunkRows, ["download.connections_per_host=\(Self.places)"])
    let environment = ["PAIRLOOM_LEASE_MS": "\(Self.lease)"]
    web.open(to: 30)
    let late = try RunningProgram(command, in: folder.path, environment: environment)
    // Until it holds every place that the host has.
    #expect(try late.wait { web.waiting == Self.places })
    try stop(late, run)
    // What it has asked for is answered while it is stopped: it has whole chunks when it goes on.
    web.open(to: .max)
    let other = try RunningProgram(command, in: folder.path, environment: environment)
    let end = try other.end(within: 120)
    #expect(end?.status == 0, "\(end?.error ?? "it still runs")")
    let fates = RunFates(run, rows: Self.rows)
    try fates.expectBytes(of: calm, "before it goes on")
    late.send(SIGCONT)
    let lateEnd = try late.end(within: 60)
    #expect(lateEnd?.status == 0, "\(lateEnd?.error ?? "it still runs")")

    try fates.expectBytes(of: calm, "after it went on")
    try fates.expectOneFateEach("")
    try fates.expectNoOrphans("")
    let attempts = try await fates.attempts()
    #expect(attempts[.running] == nil)
    let expired = try #require(attempts[.expired])
    let completed = Dictionary(
      uniqueKeysWithValues: (attempts[.completed] ?? []).map { ($0.name, $0) })
    for attempt in expired {
      #expect(completed[attempt.name]?.attempt ?? 0 > attempt.attempt, "\(attempt)")
    }
    // No table of a download that does not count.
    let fetched = try FileManager.default.contentsOfDirectory(atPath: run + "/fetched")
    #expect(fetched.count == Self.rows / Self.chunkRows, "\(fetched)")
  }

  @Test("stopped and continued again and again, two processes end with the bytes of a calm run")
  func stoppedOften() async throws {
    let folder = try TemporaryFolder()
    let (calm, run) = (folder.path + "/calm", folder.path + "/run")
    let web = try GatedWeb(rows: Self.rows)
    let list = try web.list(in: folder.path)
    let first = GatedWeb.command(list, calm, chunkRows: Self.chunkRows)
    #expect(try Program.run(first).status == 0)
    let command = GatedWeb.command(list, run, chunkRows: Self.chunkRows)
    web.open(to: 24)
    let programs = try (0..<2).map { _ in
      try RunningProgram(
        command, in: folder.path, environment: ["PAIRLOOM_LEASE_MS": "\(Self.lease)"])
    }
    #expect(try programs[0].wait { web.waiting > 0 })
    // Each in turn, in whatever it does when the next rows pass.
    for turn in 1...4 {
      let program = programs[turn % 2]
      web.open(to: 24 + turn * 48)
      usleep(UInt32(turn) * 40_000)
      try stop(program, run)
      let patience = Date.now.addingTimeInterval(Double(Self.lease) * 1.7 / 1_000)
      while Date.now < patience { usleep(20_000) }
      program.send(SIGCONT)
    }
    web.open(to: .max)
    for program in programs {
      let end = try program.end(within: 120)
      #expect(end?.status == 0, "\(end?.error ?? "it still runs")")
    }
    let fates = RunFates(run, rows: Self.rows)
    try fates.expectBytes(of: calm, "")
    try fates.expectOneFateEach("")
    try fates.expectNoOrphans("")
    let attempts = try await fates.attempts()
    #expect(attempts[.running] == nil && attempts[.failed] == nil, "\(attempts[.failed] ?? [])")
  }

  /// Stops a process at a moment when it does not hold a lock of the ledger, which would stop all.
  private func stop(_ program: RunningProgram, _ run: String) throws {
    while program.isRunning {
      program.send(SIGSTOP)
      // A thread that is in the kernel ends its call before it stops, and that may be the taking of a
      // lock.
      while program.isRunning, try !isStopped(program.identifier) { usleep(1_000) }
      if try !holdsLock(program.identifier, on: run + "/ledger.sqlite-shm") { return }
      program.send(SIGCONT)
    }
  }

  /// Whether every thread of a process has stopped (proc(5), "/proc/pid/stat").
  private func isStopped(_ process: Int32) throws -> Bool {
    let folder = "/proc/\(process)/task"
    return try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { thread in
      let line = try String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)
      // Behind the name in parentheses.
      return ["T", "Z"].contains(line.split(separator: ")").last?.split(separator: " ").first)
    }
  }

  /// Whether a process writes to, checkpoints or recovers a WAL: bytes 120 to 122 of the file of its
  /// index (sqlite.org/walformat.html, "Locks").
  private func holdsLock(_ process: Int32, on path: String) throws -> Bool {
    let file = open(path, O_RDWR | O_CLOEXEC)
    try #require(file >= 0)
    defer { close(file) }
    return (120..<123).contains { byte in
      var lock = flock()
      lock.l_type = Int16(F_WRLCK)
      lock.l_whence = Int16(SEEK_SET)
      lock.l_start = byte
      lock.l_len = 1
      return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
        && lock.l_pid == process
    }
  }
}
