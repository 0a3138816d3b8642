import Foundation
import Testing
import WorkerProcesses

/// The faulty worker, which stands beside the test bundle.
enum FaultyWorker {
  static let path =
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("FaultyWorker").path

  static func pool(
    _ limits: WorkerLimits = WorkerLimits(), arguments: [String] = [], greeting: [UInt8] = []
  ) -> WorkerPool {
    WorkerPool(
      WorkerCommand(executable: path, arguments: arguments), limits: limits, greeting: greeting)
  }

  static func ask(_ pool: WorkerPool, _ requests: String...) throws -> [WorkerOutcome] {
    try pool.outcomes(of: requests.map { Array($0.utf8) })
  }

  static func answer(_ text: String) -> WorkerOutcome { .answer(Array(text.utf8)) }

  static func text(_ outcome: WorkerOutcome) -> String? {
    guard case .answer(let bytes) = outcome else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite struct WorkerPoolTests {
  private typealias Worker = FaultyWorker

  @Test("requests are answered in order by one worker, which knows its greeting")
  func answers() throws {
    let pool = Worker.pool(greeting: Array("good day".utf8))
    let outcomes = try Worker.ask(pool, "echo:a", "greeting", "echo:", "echo:b:c", "served")
    #expect(outcomes == ["a", "good day", "", "b:c", "5"].map(Worker.answer))
    #expect(try Worker.ask(pool, "served") == [Worker.answer("6")])
    #expect(try pool.outcomes(of: []) == [])
  }

  @Test("bodies larger than the socket holds pass in both directions, many at once")
  func large() throws {
    let pool = Worker.pool()
    let bodies = (0..<20).map { number in
      (0..<(1 << 20) + number * 4_097).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }
    let outcomes = try pool.outcomes(of: bodies.map { Array("echo:".utf8) + $0 })
    #expect(outcomes == bodies.map { .answer($0) })
  }

  @Test(
    "a request at which workers fail has failed, under its own name, and its neighbours have not",
    arguments: [
      ("segv", WorkerFailure.signal(SIGSEGV), "SIGSEGV"), ("abort", .signal(SIGABRT), "SIGABRT"),
      ("killed", .signal(SIGKILL), "SIGKILL"), ("exit", .exited(7), "exit code 7"),
      ("memory", .memory, "memory"), ("want", .memory, "memory"),
      ("garbage", .garbage, "garbage"), ("number", .garbage, "garbage"),
      ("long", .garbage, "garbage"), ("size:200001", .garbage, "garbage"),
      ("hang", .wallTime, "wall"), ("spin", .cpuTime, "cpu"),
    ])
  func failures(request: String, failure: WorkerFailure, word: String) throws {
    // A hanging worker ends by the wall, a busy one by its processor time, long before the wall.
    let limits = WorkerLimits(
      memory: 64 << 20, cpuSeconds: 1, wallSeconds: request == "hang" ? 0.3 : 60,
      answerBytes: 200_000)
    let pool = Worker.pool(limits)
    let outcomes = try Worker.ask(pool, "echo:a", "echo:b", request, "echo:c", "size:200000")
    #expect(outcomes.count == 5)
    #expect(outcomes[2] == .failed(failure))
    #expect(failure.description == word)
    #expect([outcomes[0], outcomes[1], outcomes[3]] == ["a", "b", "c"].map(Worker.answer))
    #expect(Worker.text(outcomes[4])?.utf8.count == 200_000)
  }

  @Test("a trap of Swift's is a signal, and its crash report costs no time")
  func traps() throws {
    let outcome = try Worker.ask(Worker.pool(), "trap")[0]
    #expect(outcome == .failed(.signal(SIGILL)) || outcome == .failed(.signal(SIGTRAP)))
  }

  @Test("what an earlier request has spoiled costs nothing: a fresh worker is asked again")
  func secondTry() throws {
    let pool = Worker.pool()
    let outcomes = try Worker.ask(pool, "echo:a", "once:b", "once:c", "echo:d")
    #expect(outcomes == ["a", "b", "c", "d"].map(Worker.answer))
  }

  @Test("a fresh worker that somebody kills costs nothing, unless it happens again and again")
  func accidents() throws {
    let path = FileManager.default.temporaryDirectory.path + "/killed-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    // The first, and two of three fresh ones.
    let outcomes = try Worker.ask(Worker.pool(), "echo:a", "killed-times:3:\(path)", "echo:b")
    #expect(outcomes == ["a", "3", "b"].map(Worker.answer))
    try FileManager.default.removeItem(atPath: path)
    let again = try Worker.ask(Worker.pool(), "killed-times:4:\(path)", "echo:b")
    #expect(again == [.failed(.signal(SIGKILL)), Worker.answer("b")])
  }

  @Test("each request has the processor time anew")
  func processorTime() throws {
    let pool = Worker.pool(WorkerLimits(cpuSeconds: 1))
    let outcomes = try pool.outcomes(of: (0..<5).map { Array("work:\($0)".utf8) })
    #expect(outcomes == (0..<5).map { Worker.answer("\($0)") })
    #expect(try Worker.ask(pool, "served") == [Worker.answer("6")])
  }

  @Test("a worker that closes its socket is over, whatever else it does")
  func closed() throws {
    let outcomes = try Worker.ask(Worker.pool(), "close", "echo:a")
    #expect(outcomes == [.failed(.exited(0)), Worker.answer("a")])
  }

  @Test("what a library prints is no answer and holds nothing up")
  func noise() throws {
    let outcomes = try Worker.ask(Worker.pool(), "noise:a", "noise:b")
    #expect(outcomes == ["a", "b"].map(Worker.answer))
  }

  @Test("workers leave no core, have default signals, their own group and no descriptor of ours")
  func inheritance() throws {
    // As sloppy libraries open files: without close-on-exec.
    let leak = open("/dev/null", O_RDONLY)
    defer { close(leak) }
    signal(SIGPIPE, SIG_IGN)
    let pool = Worker.pool()
    // From a dispatch thread, which has signals blocked.
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var outcomes: [WorkerOutcome] = []  // Sendable: read after the semaphore
    DispatchQueue.global().async {
      do { outcomes = try Worker.ask(pool, "state", "core", "pid", "group") } catch { print(error) }
      done.signal()
    }
    done.wait()
    let texts = outcomes.compactMap(Worker.text)
    #expect(texts.first == "[0, 1, 2] [] []")
    #expect(texts.dropFirst().first == "0")
    #expect(texts.count == 4 && texts[2] == texts[3])
    let parent = "\(getpgrp())"
    #expect(texts.last != parent)
  }

  @Test("a worker that dies at its start is an error that says so, after a few tries")
  func deadAtStart() throws {
    #expect {
      try Worker.ask(Worker.pool(arguments: ["die"]), "echo:a")
    } throws: { error in
      "\(error)".contains("exit code 3") && "\(error)".contains("I will not start")
    }
    #expect {
      try Worker.ask(Worker.pool(arguments: ["foreign"]), "echo:a")
    } throws: { error in
      "\(error)".hasPrefix(FaultyWorker.path) && "\(error)".contains("garbage")
    }
    let nowhere = WorkerPool(
      WorkerCommand(executable: "/nowhere/worker"), limits: WorkerLimits())
    #expect {
      try nowhere.outcomes(of: [[1]])
    } throws: { error in
      "\(error)".contains("No such file or directory")
    }
  }

  @Test("a process that was started with SIGCHLD ignored is told how its workers end")
  func ignoredDeaths() throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: FaultyWorker.path)
    process.arguments = ["ignoring"]
    process.standardOutput = output
    try process.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.contains("exit code 7") && text.contains("SIGSEGV"), "\(text)")
  }

  @Test("a call that is cancelled while a request hangs kills its worker and says so")
  func cancelled() throws {
    let pool = Worker.pool()
    let mark = NSTemporaryDirectory() + "pairloom-mark-\(UUID().uuidString)"
    defer { unlink(mark) }
    #expect(throws: WorkerError.cancelled) {
      try pool.outcomes(of: [Array("mark:\(mark)".utf8)]) {
        FileManager.default.fileExists(atPath: mark)
      }
    }
    #expect(FileManager.default.fileExists(atPath: mark))
    #expect(try Worker.ask(pool, "served") == [Worker.answer("1")])
  }

  @Test("workers end with their pool")
  func poolEnds() throws {
    let identifier = try #require(
      try Worker.ask(Worker.pool(), "pid").first.flatMap(Worker.text).flatMap { Int32($0) })
    #expect(kill(identifier, 0) != 0 && errno == ESRCH)
  }

  @Test(
    "workers end with their parent, killed with -9, idle or in the midst of a request",
    arguments: ["hang", "spin"])
  func parentKilled(request: String) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: FaultyWorker.path)
    process.arguments = ["parent", request]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let worker = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(kill(worker, 0) == 0)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // It is another's child now, gone or a zombie that its new parent has not yet collected.
    let start = Date.now
    while kill(worker, 0) == 0, !isZombie(worker), Date.now.timeIntervalSince(start) < 20 {
      sched_yield()
    }
    #expect(kill(worker, 0) != 0 || isZombie(worker))
  }

  private func isZombie(_ identifier: Int32) -> Bool {
    // It may be gone between two looks.
    guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
    else { return true }
    return text.split(separator: ")").last?.hasPrefix(" Z") ?? true
  }

  @Test("many threads share a pool; each has a worker to itself")
  func threads() throws {
    let pool = Worker.pool()
    DispatchQueue.concurrentPerform(iterations: 8) { lane in
      for round in 0..<20 {
        do {
          let outcomes = try Worker.ask(
            pool, "echo:\(lane).\(round)", round % 7 == 3 ? "segv" : "echo:x")
          #expect(outcomes[0] == Worker.answer("\(lane).\(round)"))
        } catch { Issue.record(error) }
      }
    }
  }
}
